"""Keys and values of twice a memory cgroup's limit, decoded through file:DIR."""

import json
import mmap
import os
import statistics
import subprocess
import threading
import time
from pathlib import Path

TITLE = "Keys and values beyond memory"
TIMED = True

GIB = 1 << 30
# Small weights and large keys and values: 16 KiB a token in f16, 4 GiB at 256K tokens.
SHAPE = {
    "model_type": "llama", "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 8,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 2048,
    "max_position_embeddings": 262144, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}
DEPTH = "256K"
KV_BYTES = 4 * GIB
LIMIT_BYTES = KV_BYTES // 2
STEPS = 8
ONE_GIB = ["--kv-pool", "1G"]
# Name, options, whether pages lie in a file.
CASES = [
    ("dense", ["--policy", "dense", *ONE_GIB], True),
    ("pnm-kv", ["--policy", "pnm-kv", *ONE_GIB], True),
    ("png-kv", ["--policy", "png-kv", *ONE_GIB], True),
    ("recall", ["--policy", "recall", *ONE_GIB], True),
    ("pnm-kv, 64 MiB", ["--policy", "pnm-kv", "--kv-pool", "64M"], True),
    ("pnm-kv, no read-ahead", ["--policy", "pnm-kv", *ONE_GIB, "--kv-read-ahead", "off"], True),
    ("pnm-kv, threads", ["--policy", "pnm-kv", *ONE_GIB, "--kv-reader", "threads"], True),
    ("pnm-kv, pread", ["--policy", "pnm-kv", *ONE_GIB, "--kv-reader", "pread"], True),
    ("dense, no read-ahead", ["--policy", "dense", *ONE_GIB, "--kv-read-ahead", "off"], True),
    ("dense in memory", ["--policy", "dense"], False),
    ("pnm-kv in memory", ["--policy", "pnm-kv"], False),
]
# Text whose next tokens are the model's own: how often the pages of the last step are wanted again.
TEXT_TOKENS = 300


class NoCgroup(Exception):
    pass


class Cgroup:
    """A memory cgroup of this test's own, version 1 or 2, with a limit."""

    def __init__(self, name, limit_bytes):
        first = Path("/sys/fs/cgroup/memory")
        second = Path("/sys/fs/cgroup")
        self.version = 1 if (first / "memory.limit_in_bytes").exists() else 2
        self.path = (first if self.version == 1 else second) / name
        try:
            self.path.mkdir(exist_ok=True)
            if self.version == 1:
                self.write("memory.limit_in_bytes", limit_bytes)
                # Where the kernel counts swap: none beyond the limit.
                if (self.path / "memory.memsw.limit_in_bytes").exists():
                    self.write("memory.memsw.limit_in_bytes", limit_bytes)
            else:
                self.write("memory.max", limit_bytes)
                if (self.path / "memory.swap.max").exists():
                    self.write("memory.swap.max", 0)
        except OSError as problem:
            raise NoCgroup(f"cannot make a memory cgroup: {problem}") from problem

    def write(self, name, value):
        (self.path / name).write_text(str(value), encoding="ascii")

    def enter(self):
        self.write("cgroup.procs", os.getpid())

    def peak_bytes(self):
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        file = self.path / name
        return int(file.read_text(encoding="ascii")) if file.exists() else None

    def killed(self):
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        for line in (self.path / name).read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return None

    def remove(self):
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.1)


def disk_rate(folder, total_bytes=GIB, read_bytes=16 << 20, threads=4):
    """GB/s of direct reads, large ones side by side: what the disk gives at most."""
    path = folder / "disk-rate"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    try:
        block = mmap.mmap(-1, 1 << 20)
        block.write(os.urandom(1 << 20))
        for offset in range(0, total_bytes, 1 << 20):
            os.pwrite(descriptor, block, offset)

        def read(mine):
            memory = mmap.mmap(-1, read_bytes)
            for offset in mine:
                os.preadv(descriptor, [memory], offset)

        places = range(0, total_bytes, read_bytes)
        workers = [threading.Thread(target=read, args=(places[i::threads],)) for i in range(threads)]
        start = time.monotonic()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return total_bytes / (time.monotonic() - start) / 1e9
    finally:
        os.close(descriptor)
        path.unlink()


def run_case(place, model, folder, name, options, filed):
    cgroup = Cgroup(f"memside-evidence-{os.getpid()}", LIMIT_BYTES)
    try:
        command = [str(place.memside), "bench", "decode", "--model", str(model), "--depth", DEPTH,
                   "--fill", "random", "--steps", str(STEPS), "--page-size", "64", "--json", "-", *options]
        if filed:
            command += ["--kv-tier", f"file:{folder}"]
        before = disk_rate(folder)
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False, preexec_fn=cgroup.enter, timeout=1200)
        after = disk_rate(folder)
        result = {
            "name": name, "options": options, "exit_status": ran.returncode,
            "peak_bytes": cgroup.peak_bytes(), "oom_kills": cgroup.killed(),
            "cgroup_version": cgroup.version, "disk_gb_per_s": statistics.mean([before, after]),
            "error": ran.stderr.strip().splitlines()[-1:] if ran.returncode else [],
        }
        if ran.returncode == 0:
            result["run"] = json.loads(ran.stdout)
        return result
    finally:
        cgroup.remove()


def text_case(place, folder, ahead):
    """Steps of a real model on a text, where a step wants much of what the last one wanted."""
    fetched = subprocess.run([str(place.tree / "scripts/fetch-model"), "gemma3-270m"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if fetched.returncode != 0:
        return {"skipped": "no gemma3-270m: " + fetched.stderr.strip()[-200:]}
    model = fetched.stdout.strip().splitlines()[-1].split()[-1]
    try:
        text = subprocess.run(["bible", "-f", "gen1:1-gen8:22"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {"skipped": "no bible-kjv-text"}
    prompt = place.work / "tier-prompt.txt"
    prompt.write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [str(place.memside), "run", "--model", model, "--raw", "--prompt-file", str(prompt),
         "--max-tokens", str(TEXT_TOKENS), "--policy", "pnm-kv", "--budget", "1024",
         "--page-size", "32", "--dense-layers", "0", "--kv-tier", f"file:{folder}",
         "--kv-pool", "4M", "--kv-read-ahead", ahead, "--json", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if ran.returncode != 0:
        return {"skipped": ran.stderr.strip()[-200:]}
    return json.loads(ran.stdout)


def run(place):
    folder = place.work / "tier"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        Cgroup(f"memside-evidence-{os.getpid()}", LIMIT_BYTES).remove()
    except NoCgroup as problem:
        return {"skipped": str(problem)}
    shape = folder / "shape.json"
    shape.write_text(json.dumps(SHAPE), encoding="utf-8")
    model = folder / "model.gguf"
    if not model.exists():
        subprocess.run([str(place.memside), "make-model", "--shape", str(shape), "--type", "q8_0",
                        "--seed", "1", "-o", str(model)], check=True)
    result = {"limit_bytes": LIMIT_BYTES, "kv_bytes": KV_BYTES, "weight_bytes": model.stat().st_size,
              "cases": [], "text": {}}
    # What an interrupted run has measured already.
    partial = folder / "partial.json"
    known = json.loads(partial.read_text(encoding="utf-8")) if partial.exists() else {}

    def once(name, measure):
        if name not in known:
            place.log(f"tier: {name}")
            known[name] = measure()
            partial.write_text(json.dumps(known), encoding="utf-8")
        return known[name]

    for case in CASES:
        result["cases"].append(once(case[0], lambda case=case: run_case(place, model, folder, *case)))
    for ahead in ("on", "off"):
        result["text"][ahead] = once(f"real text, read-ahead {ahead}",
                                     lambda ahead=ahead: text_case(place, folder, ahead))
    partial.unlink(missing_ok=True)
    return result


def mib(value):
    return f"{value / (1 << 20):,.0f}"


def case_row(case):
    peak = mib(case["peak_bytes"]) if case["peak_bytes"] is not None else "not counted"
    if case["exit_status"] != 0:
        end = "killed for want of memory" if case["oom_kills"] else "; ".join(case["error"])
        return f"| {case['name']} | {end} | {peak} | | | | | | | |"
    run_ = case["run"]
    steps = run_["steps"]
    read = run_["bytes_read"]
    file_bytes = read.get("file", 0) / steps
    rate = file_bytes / run_["step_s_p50"] / 1e9
    reached = f"{100 * rate / case['disk_gb_per_s']:.0f} %" if file_bytes else ""
    ahead = f"{100 * run_['read_ahead_hit_rate']:.0f} %" if run_.get("read_ahead_per_step") else ""
    hit = f"{100 * run_['pool_hit_rate']:.0f} %" if "pool_hit_rate" in run_ else ""
    return (f"| {case['name']} | {run_['decode_tok_per_s']:.2f} | {peak} | "
            f"{mib(read['dram'] / steps)} | {mib(file_bytes)} | {hit} | {ahead} | {rate:.2f} | "
            f"{case['disk_gb_per_s']:.2f} | {reached} |")


def text_lines(result):
    on, off = result["text"].get("on", {}), result["text"].get("off", {})
    if "skipped" in on or "skipped" in off or not on:
        return [f"Real text: skipped, {on.get('skipped') or off.get('skipped')}."]
    return [
        f"Real text (Gemma-3-270M, {on['prompt_tokens']:,} tokens of Genesis, pnm-kv, budget 1,024, "
        f"pages of 32, pool 4 MiB): {on['decode_tok_per_s']:.1f} tok/s with read-ahead, of whose "
        f"reads the next layer wants {100 * on['read_ahead_hit_rate']:.0f} %, and "
        f"{off['decode_tok_per_s']:.1f} without; waiting for the file takes "
        f"{100 * on['file_wait_share']:.0f} % and {100 * off['file_wait_share']:.0f} % of a step. "
        f"The tokens are {'the same' if on['token_ids'] == off['token_ids'] else 'DIFFERENT'}."]


def page(result):
    if "skipped" in result:
        return f"Skipped: {result['skipped']}."
    lines = [
        f"All figures are measured. A random-weight model ({mib(result['weight_bytes'])} MiB of "
        f"weights) with {mib(result['kv_bytes'])} MiB of keys and values at {DEPTH} tokens decodes "
        f"in a memory cgroup (version {result['cases'][0]['cgroup_version']}) of "
        f"{mib(result['limit_bytes'])} MiB. Its keys are random, and so are the tokens: selected "
        f"pages change as much as they can. Peak is the cgroup's own, which counts the system's "
        f"cache too. A pool of 1 GiB unless said. The disk: direct reads of 16 MiB by four "
        f"threads, before and after each run.",
        "",
        "| policy | tok/s | peak MiB | MiB a step found in memory | MiB a step read from the file | "
        "attended from memory | read ahead and wanted | file GB/s | disk GB/s | reached |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [case_row(case) for case in result["cases"]]
    lines.append("")
    lines += text_lines(result)
    return "\n".join(lines)
