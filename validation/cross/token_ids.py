"""Token ids and learnt merges beside Hugging Face's tokenizers and OpenAI's tiktoken, on vocabularies that assay trains."""
import base64
import json
import os
import tempfile

from comparing import Differs, need

TEXTS = 10000  # a case
PRE_TOKENIZERS = ["gpt-2", "llama-bpe", "qwen2", "gpt-4o", "starcoder", "falcon", "deepseek-coder", "deepseek-llm", "mpt", "phi-2"]
OF_TIKTOKEN = ["gpt-2", "llama-bpe", "qwen2", "gpt-4o"]  # one pattern that covers all text
END = "<|endoftext|>"
RANGES = [(0x20, 0x7F), (0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x390, 0x500), (0x5D0, 0x5EB), (0x900, 0x980), (0xE01, 0xE5C),
          (0x1100, 0x1200), (0x2000, 0x2070), (0x3040, 0x3100), (0x4E00, 0x9FA6), (0xAC00, 0xD7A4), (0xFF01, 0xFF5F), (0x1F300, 0x1F700)]
PARTS = [" ", " ", "  ", "   ", "\n", "\r\n", "\n\n", "\t", "'s", "'LL", "'\u017f", "don't", "2025", "1", "00", "3.14", "...", "-", "\u00a0", "\u3000",
         "e\u0301", "\u00e9", "A\u030a", "\u1112\u1161\u11ab", "\ufeff", "\u200d", "\U0001f469\u200d\U0001f680", "\x00", "\x7f", "\u2028", "/", "()"]


def words_of(random, count):
    letters = "etaoinshrdlucmfw"
    return ["".join(random.choice(list(letters), int(random.integers(1, 9)))) for _ in range(count)]


def corpus(random):
    """Words of which few are frequent, numbers, punctuation and other scripts."""
    words = words_of(random, 400) + [one_text(random, []) for _ in range(100)]
    chosen = (len(words) * random.random(20000) ** 3).astype(int)
    marks = random.choice([" ", " ", " ", " ", ", ", ". ", "\n", "\n\n", "  ", " 7"], len(chosen))
    return "".join(words[i] + mark for i, mark in zip(chosen, marks))


def one_text(random, words):
    text = ""
    for _ in range(int(random.integers(0, 12))):
        kind = random.integers(3)
        if kind == 0 and words:
            text += str(words[int(random.integers(len(words)))])
        elif kind == 1:
            text += PARTS[int(random.integers(len(PARTS)))]
        else:
            low, high = RANGES[int(random.integers(len(RANGES)))]
            text += "".join(chr(c) for c in random.integers(low, high, int(random.integers(1, 5))))
    return text


class Trained:
    """A tokenizer.json that assay learns from a corpus, in a folder that lasts as long as this."""

    def __init__(self, assay, random, names):
        self.assay = assay
        self.held = tempfile.TemporaryDirectory()
        self.pre = str(random.choice(names))
        self.corpus = corpus(random)
        self.tokens = 300 + int(random.integers(1500))
        self.path = self.file("tokenizer.json")
        with open(self.file("corpus.txt"), "w", encoding="utf-8", newline="") as file:
            file.write(self.corpus)
        assay.call("tokenize", "--train", self.file("corpus.txt"), "--pre", self.pre, "--tokens", str(self.tokens), "--special", END,
                   "--out", self.path, "--quiet")
        with open(self.path, encoding="utf-8") as file:
            self.document = json.load(file)
        words = words_of(random, 50) + self.corpus.split()[:200]
        self.texts = [one_text(random, words) + (END if random.integers(20) == 0 else "") for _ in range(TEXTS)]

    def file(self, name):
        return os.path.join(self.held.name, name)

    def ids(self, path, *options):
        """Of the texts, by assay."""
        with open(self.file("texts.jsonl"), "w", encoding="ascii") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in self.texts)
        answers = self.assay.call("tokenize", "--tokenizer", path, "--jsonl", self.file("texts.jsonl"), "--backend", self.assay.backend,
                                  "--quiet", *options)
        return [json.loads(line)["ids"] for line in answers.splitlines()]

    def hold(self, got, expected):
        if len(got) != len(expected):
            raise Differs(f"{len(got)} answers to {len(expected)} texts")
        for text, mine, theirs in zip(self.texts, got, expected):
            if mine != theirs:
                raise Differs(f"pre {self.pre}: {ascii(text)}: ids {mine}, expected {theirs}")
        return 0.0


def of_tokenizers(assay, random):
    tokenizers = need("tokenizers")
    trained = Trained(assay, random, PRE_TOKENIZERS)
    theirs = tokenizers.Tokenizer.from_file(trained.path)
    expected = [each.ids for each in theirs.encode_batch(trained.texts, add_special_tokens=False)]
    return trained.hold(trained.ids(trained.path), expected)


def of_tiktoken(assay, random):
    tiktoken = need("tiktoken")
    need("tokenizers")  # for the pattern that is ByteLevel's own, and the letters of bytes
    trained = Trained(assay, random, OF_TIKTOKEN)
    byte_of = bytes_of_letters()
    vocabulary = sorted(trained.document["model"]["vocab"].items(), key=lambda item: item[1])
    tokens = [bytes(byte_of[letter] for letter in letters) for letters, _ in vocabulary if letters != END]
    trained.texts = [text.replace(END, "") for text in trained.texts]
    steps = trained.document["pre_tokenizer"].get("pretokenizers")
    pattern = steps[0]["pattern"]["Regex"] if steps else (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")  # openai_public.py, r50k_base
    if trained.document["normalizer"]:  # tiktoken has none
        unicodedata = need("unicodedata")
        trained.texts = [unicodedata.normalize("NFC", text) for text in trained.texts]
    theirs = tiktoken.Encoding("trained", pat_str=pattern, mergeable_ranks={token: rank for rank, token in enumerate(tokens)}, special_tokens={})
    path = trained.file("trained.tiktoken")
    with open(path, "wb") as file:
        file.writelines(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    return trained.hold(trained.ids(path, "--pre", trained.pre), [theirs.encode_ordinary(text) for text in trained.texts])


def bytes_of_letters():
    """Radford et al. 2019, encoder.py, bytes_to_unicode, turned round."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    made = {chr(byte): byte for byte in printable}
    made.update({chr(256 + i): byte for i, byte in enumerate(byte for byte in range(256) if byte not in printable)})
    return made


def merges(assay, random):
    """What is learnt: BpeTrainer's merges and ids."""
    tokenizers = need("tokenizers")
    trained = Trained(assay, random, PRE_TOKENIZERS)
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    read = tokenizers.Tokenizer.from_file(trained.path)
    theirs.pre_tokenizer = read.pre_tokenizer
    if read.normalizer is not None:
        theirs.normalizer = read.normalizer
    theirs.train_from_iterator([trained.corpus], tokenizers.trainers.BpeTrainer(
        vocab_size=trained.tokens, min_frequency=2, special_tokens=[END], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    expected = json.loads(theirs.to_str())["model"]
    got = trained.document["model"]
    for i, (mine, other) in enumerate(zip(got["merges"], expected["merges"])):
        if list(mine) != list(other):
            raise Differs(f"pre {trained.pre}: merge {i} is {mine}, expected {other}")
    if len(got["merges"]) != len(expected["merges"]) or got["vocab"] != expected["vocab"]:
        raise Differs(f"pre {trained.pre}: {len(got['merges'])} merges, expected {len(expected['merges'])}, or other ids")
    return 0.0
