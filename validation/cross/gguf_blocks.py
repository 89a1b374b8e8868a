"""Blocks and files of GGUF beside the gguf package, which ggml's authors publish (its quants.py is NumPy)."""
import os
import tempfile

from comparing import Differs, equal, need, np

ENCODED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q6_K", "MXFP4"]
DECODED = ["BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"]


def both_encode(gguf, name):
    """Whether the package encodes the type, too: of the K types it only decodes."""
    try:
        gguf.quants.quantize(np.zeros((1, 256), np.float32), gguf.GGMLQuantizationType[name])
        return True
    except (NotImplementedError, KeyError):
        return False


def both_decode(gguf, name):
    return name in gguf.GGMLQuantizationType.__members__ and gguf.GGMLQuantizationType[name] in gguf.quants._type_traits


def rows(random, columns, least=1):
    x = random.standard_normal((int(random.integers(least, 9)), columns)) * 2.0 ** random.integers(-8, 9)
    return x.astype(np.float32)


def encode(assay, random):
    gguf = need("gguf")
    compared = 0
    for name in ENCODED:
        if not both_encode(gguf, name):
            continue
        x = rows(random, 256 * int(random.integers(1, 5)))
        blocks = assay.run("quant.quantize", {"values": x}, ["blocks"], {"format": name})["blocks"]
        equal(name, blocks, gguf.quants.quantize(x, gguf.GGMLQuantizationType[name]))
        compared += 1
    if compared == 0:
        raise Differs("the package encodes none of the types")
    return 0.0


def decode(assay, random):
    gguf = need("gguf")
    compared = 0
    for name in DECODED:
        if not both_decode(gguf, name):
            continue
        kind = gguf.GGMLQuantizationType[name]
        length, size = gguf.GGML_QUANT_SIZES[kind]
        count = 512 // length * int(random.integers(1, 5))
        blocks = random.integers(0, 256, (4, count * size), dtype=np.uint8)  # every scale, NaN and infinities too
        values = assay.run("quant.dequantize", {"blocks": blocks}, ["values"], {"format": name, "columns": count * length})["values"]
        with np.errstate(all="ignore"):
            equal(name, values, gguf.quants.dequantize(blocks, kind))
        compared += 1
    if compared == 0:
        raise Differs("the package decodes none of the types")
    return 0.0


def write_model(gguf, path, tensors):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("cross-check")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_array("cross.words", ["a", "", "\u00e9"])
    writer.add_array("cross.numbers", [1, -2, 3])
    writer.add_float64("cross.real", 0.1)
    for name, (array, kind) in tensors.items():
        writer.add_tensor(name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def fields(reader):
    """Metadata as stored, but for what counts entries and for the two keys that are set."""
    skipped = ("general.file_type", "general.quantization_version")
    return {name: b"".join(bytes(part) for part in field.parts) for name, field in reader.fields.items()
            if not name.startswith("GGUF.") and name not in skipped}


def files(assay, random):
    """A file that the package wrote, quantised, read by the package, written by it again and read by assay."""
    gguf = need("gguf")
    with tempfile.TemporaryDirectory() as folder:
        path = {name: os.path.join(folder, name + ".gguf") for name in ("in", "out", "again")}
        # of two rows at least: one row counts as a vector (ggml_n_dims), which keeps its type
        matrix, narrow = rows(random, 512, 2), rows(random, 96, 2).astype(np.float16)
        norm = random.standard_normal(96).astype(np.float32)
        write_model(gguf, path["in"], {"blk.0.attn_q.weight": (matrix, None), "blk.0.ffn_up.weight": (narrow, None),
                                       "blk.0.attn_norm.weight": (norm, None)})
        before = gguf.GGUFReader(path["in"])
        for name in ENCODED:
            if name not in gguf.GGMLQuantizationType.__members__:
                continue
            assay.call("gguf", "quantize", path["in"], path["out"], name, "--backend", assay.backend, "--quiet")
            reader = gguf.GGUFReader(path["out"])
            if fields(reader) != fields(before):
                raise Differs(f"{name}: metadata were not carried over byte for byte")
            tensors = {tensor.name: tensor for tensor in reader.tensors}
            equal(f"{name}: a norm", tensors["blk.0.attn_norm.weight"].data, norm)
            fallback = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}.get(name, name)  # of rows of 96
            again = {}
            for tensor, kind, source in (("blk.0.attn_q.weight", name, matrix), ("blk.0.ffn_up.weight", fallback, narrow)):
                stored = tensors[tensor]
                if stored.tensor_type.name != kind:
                    raise Differs(f"{name}: {tensor} has type {stored.tensor_type.name}, expected {kind}")
                if both_encode(gguf, kind):
                    expected = gguf.quants.quantize(source.astype(np.float32), stored.tensor_type)
                    equal(f"{name}: {tensor}", stored.data, expected)
                again[tensor] = (stored.data, stored.tensor_type)
            write_model(gguf, path["again"], again)
            for tensor, (blocks, kind) in again.items():
                out = os.path.join(folder, "values.f32")
                assay.call("gguf", "dump", path["again"], "--tensor", tensor, "--out", out, "--quiet")
                if both_decode(gguf, kind.name):
                    expected = gguf.quants.dequantize(blocks, kind)
                    equal(f"{name}: {tensor} decoded", np.fromfile(out, "<f4").reshape(expected.shape), expected)
    return 0.0
