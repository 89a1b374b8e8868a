#!/usr/bin/env python3
"""Times what a user of PyTorch writes for the operations sampling.*, in float32.

Reads requests from standard input, one JSON object a line, and answers each with one line on standard output:

  work      argmax, softmax, categorical, log_probs or chain
  device    cuda or cpu; threads: of the latter
  logits    a file of rows x tokens float32
  runs      samples to take, 30 at least
  order     of a chain: some of temperature, top_k, top_p and min_p, each with its parameter under that name
  n, chosen of log_probs: how many to list, and the one token that is looked up in each row

  torch, device, work, rows, tokens      what was run
  graph     whether a CUDA graph was timed; without one, no_graph says why
  draw      of chain and categorical: multinomial, or exponential race where no_multinomial says why that is not captured
  cache     what is in the device's cache when a sample begins
  calls     in each sample; times_ns: of one call, one a sample
  token, kept, value                     one number a row, where the work gives it
  error     and nothing else: why there is no answer

Each request is run in a process of its own, forked after PyTorch was loaded and before anything touched the device: between
requests no process of this program is on the device, so nothing disturbs what is measured there in turn.
"""

import json
import os
import sys
import time
import warnings

try:
    import torch
except Exception as missing:  # an installation may break in more ways than by not being there
    torch = None
    WHY_NOT = f"PyTorch is not there: {missing}"

MINUS_INF = float("-inf")
LEAST_RUNS = 30
SAMPLE_NS = 500e3  # events resolve some 0.5 us
MOST_CALLS = 64  # in one sample
MOST_COPIES_BYTES = 4 << 30
FLUSH_BYTES = 1 << 30  # many times the L2 cache of any device, and long enough to hide the launch of what follows it
CPU_SECONDS = 8.0  # no more samples are begun on the CPU after that


class CaptureRefused(Exception):
    """The work cannot be captured in a CUDA graph."""


# ---- the steps, as the transformers library has them (generation/logits_process.py), without what keeps more than one token


def temperature(scores, value):
    return scores / value


def top_k(scores, k):
    if k <= 0:
        return scores
    last = torch.topk(scores, min(k, scores.size(-1)))[0][..., -1, None]
    return scores.masked_fill(scores < last, MINUS_INF)


def top_p(scores, p):
    ordered, ids = torch.sort(scores, descending=False)
    mass = ordered.softmax(dim=-1).cumsum(dim=-1)
    remove = mass <= (1 - p)
    remove[..., -1:] = False
    remove = remove.scatter(1, ids, remove)
    return scores.masked_fill(remove, MINUS_INF)


def min_p(scores, p):
    probabilities = torch.softmax(scores, dim=-1)
    least = p * probabilities.amax(dim=-1, keepdim=True)
    return scores.masked_fill(probabilities < least, MINUS_INF)


STEPS = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}


# ---- the draw


def multinomial(probabilities):
    return torch.multinomial(probabilities, 1).squeeze(-1)


def exponential_race(probabilities):
    # p_i / E_i with E_i exponential is largest at i with probability p_i: what multinomial does, less its checks
    return (probabilities / torch.empty_like(probabilities).exponential_(1)).argmax(dim=-1)


DRAWS = {"multinomial": multinomial, "exponential race": exponential_race}


# ---- the work: a function of the logits that gives tensors by name, and what of them is handed back for each row


def argmax(request, device, draw):
    return lambda logits: {"token": torch.argmax(logits, dim=-1)}


def softmax(request, device, draw):
    return lambda logits: {"probabilities": torch.softmax(logits, dim=-1)}


def categorical(request, device, draw):
    def run(logits):
        probabilities = torch.softmax(logits, dim=-1)
        return {"probabilities": probabilities, "token": draw(probabilities)}

    return run


def log_probs(request, device, draw):
    n = int(request["n"])
    chosen = torch.full((request["rows"], 1), int(request["chosen"]), dtype=torch.int64, device=device)

    def run(logits):
        logarithms = torch.log_softmax(logits, dim=-1)
        values, ids = torch.topk(logarithms, n, dim=-1)
        own = logarithms.gather(-1, chosen)
        rank = (logarithms > own).sum(dim=-1)
        return {"log_probs": values, "ids": ids, "chosen": own, "rank": rank}

    return run


def chain(request, device, draw):
    order = request["order"]
    for step in order:
        if step not in STEPS:
            raise ValueError(f"no step {step}; expected some of {', '.join(STEPS)}")
    parameters = {}
    for step in order:
        if step == "top_k":
            parameters[step] = int(request[step])
        else:  # one value a row, as a server that batches requests has them
            parameters[step] = torch.full((request["rows"], 1), float(request[step]), dtype=torch.float32, device=device)

    def run(logits):
        scores = logits
        for step in order:
            scores = STEPS[step](scores, parameters[step])
        return {"scores": scores, "token": draw(torch.softmax(scores, dim=-1))}

    return run


WORKS = {"argmax": argmax, "softmax": softmax, "categorical": categorical, "log_probs": log_probs, "chain": chain}
DRAWING = {"categorical", "chain"}


def handed_back(made):
    answer = {}
    if "token" in made:
        answer["token"] = made["token"].tolist()
    if "scores" in made:
        answer["kept"] = (made["scores"] > MINUS_INF).sum(dim=-1).tolist()
    if "probabilities" in made:
        answer["value"] = made["probabilities"].amax(dim=-1).tolist()
    if "log_probs" in made:
        answer["token"] = made["ids"][:, 0].tolist()
        answer["value"] = made["log_probs"][:, 0].tolist()
    return answer


# ---- timing


def captured(work, inputs):
    graph = torch.cuda.CUDAGraph()
    made = None
    try:
        with torch.cuda.graph(graph):
            for logits in inputs:
                made = work(logits)
        graph.replay()
        torch.cuda.synchronize()
    except RuntimeError as error:
        cause = error.__context__ or error  # leaving a broken capture raises once more
        raise CaptureRefused(str(cause).strip().splitlines()[0]) from error
    return graph.replay, made


def eager(work, inputs):
    made = {}

    def run():
        for logits in inputs:
            made.update(work(logits))

    return run, made


def time_on_device(work, logits, runs, graph):
    side = torch.cuda.Stream()  # a capture wants its warm-up on another stream than the default
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work(logits)
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    prepare = captured if graph else eager
    free, _ = torch.cuda.mem_get_info()
    flushed = torch.empty(min(FLUSH_BYTES, free // 8), dtype=torch.uint8, device="cuda")
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def sample(run):
        flushed.zero_()
        begin.record()
        run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e6

    run, made = prepare(work, [logits])
    once = min(sample(run) for _ in range(5))
    most = min(MOST_CALLS, MOST_COPIES_BYTES // (logits.numel() * logits.element_size()))
    calls = int(max(1, min(most, SAMPLE_NS / once + 1)))
    if calls > 1:  # each on logits of its own, so that none finds them in the cache
        del run, made
        run, made = prepare(work, [logits] + [logits.clone() for _ in range(calls - 1)])
    for _ in range(3):
        sample(run)
    times = [sample(run) / calls for _ in range(runs)]
    return {"calls": calls, "times_ns": times, "cache": "cold: overwritten before each sample, logits of each call their own",
            **handed_back(made)}


def time_on_cpu(work, logits, runs):
    made = work(logits)
    begun = time.perf_counter()
    times = []
    while len(times) < runs and (not times or time.perf_counter() - begun < CPU_SECONDS):
        before = time.perf_counter_ns()
        made = work(logits)
        times.append(time.perf_counter_ns() - before)
    return {"calls": 1, "times_ns": times, "cache": "warm", **handed_back(made)}


def answer(request, draw, graph):
    rows, tokens, device = int(request["rows"]), int(request["tokens"]), request["device"]
    if request["work"] not in WORKS:
        raise ValueError(f"no work {request['work']}; expected one of {', '.join(WORKS)}")
    if os.path.getsize(request["logits"]) != 4 * rows * tokens:
        raise ValueError(f"{request['logits']} does not hold {rows} x {tokens} float32")
    on_device = device == "cuda"
    if on_device and not torch.cuda.is_available():
        raise RuntimeError("PyTorch finds no CUDA device")
    if not on_device and int(request.get("threads", 0)) > 0:
        torch.set_num_threads(int(request["threads"]))
    runs = max(LEAST_RUNS, int(request["runs"]))
    made = {"torch": torch.__version__, "device": torch.cuda.get_device_name() if on_device else "cpu", "work": request["work"],
            "rows": rows, "tokens": tokens}
    if request["work"] in DRAWING:
        made["draw"] = draw
    with torch.inference_mode():
        held = torch.from_file(request["logits"], shared=False, size=rows * tokens, dtype=torch.float32)
        logits = held.view(rows, tokens).to(device)
        work = WORKS[request["work"]](request, device, DRAWS[draw])
        if on_device:
            made["graph"] = graph
            made.update(time_on_device(work, logits, runs, graph))
        else:
            made.update(time_on_cpu(work, logits, runs))
    return made


# ---- one process a request


def in_a_process(request, draw, graph):
    """What `answer` gives, or {"error"}, or {"refused"} where the work was not captured."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            made = answer(request, draw, graph)
        except CaptureRefused as error:
            made = {"refused": str(error)}
        except Exception as error:
            made = {"error": f"{type(error).__name__}: {error}".strip().splitlines()[0]}
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(made))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not text:
        return {"error": f"the process that ran it ended with status {status}"}
    return json.loads(text)


def attempts(request, unfit):
    """How to run it, the first choice first. `unfit`: draws that could not be captured before."""
    if request["device"] != "cuda":
        return [("multinomial", False)]
    draws = [draw for draw in DRAWS if draw not in unfit] if request["work"] in DRAWING else ["multinomial"]
    return [(draw, True) for draw in draws] + [("multinomial", False)]


def respond(request, unfit):
    if torch is None:
        return {"error": WHY_NOT}
    refused = {}
    for draw, graph in attempts(request, unfit):
        made = in_a_process(request, draw, graph)
        if "refused" in made:
            refused[draw] = made["refused"]
            continue
        if graph:  # what was refused was then refused for its draw, the one difference
            unfit.update(refused)
            if draw != "multinomial" and "multinomial" in unfit:
                made["no_multinomial"] = unfit["multinomial"]
        elif refused:
            made["no_graph"] = list(refused.values())[-1]
        return made
    return {"error": "nothing could be run"}


def main():
    warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside PyTorch's threads, which are idle
    unfit = {}
    for line in iter(sys.stdin.readline, ""):
        try:
            made = respond(json.loads(line), unfit)
        except Exception as error:
            made = {"error": f"the request cannot be understood: {type(error).__name__}: {error}"}
        print(json.dumps(made), flush=True)


if __name__ == "__main__":
    main()
