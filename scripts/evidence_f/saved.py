"""Saved sequences: kills while saving, flipped bits, resuming 128K tokens, the fuzzer of the reader."""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

TITLE = "Saved sequences"
TIMED = True

KILLS = 100
FLIPS = 1000
RESUMES = 5
FUZZ_SECONDS = 600
SMALL = "tests/engine/shapes/llama.json"  # the model of kills and flips
PAGES = ["--page-size", "16", "--policy", "pnm-kv", "--budget", "256"]


def told(command, **more):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


def figures(command):
    return json.loads(told([*command, "--json", "-"]))


def small_model(place):
    path = place.work / "small.gguf"
    if not path.exists():
        told([place.memside, "make-model", "--shape", place.tree / SMALL, "-o", path])
    return path


def save_command(place, model, target, depth, seed):
    return [place.memside, "bench", "decode", "--model", model, "--depth", depth, "--steps", "1",
            "--seed", str(seed), *PAGES, "--kv-save", target]


def temporaries(target):
    return [name for name in os.listdir(target.parent)
            if name.startswith(f".{target.name}.") and name.endswith(".memside-part")]


def kills(place):
    """Kills a save at a random moment after its temporary has appeared; the file is then verified."""
    model, target = small_model(place), place.work / "killed.kv"
    depths = {65536: "64K", 61440: "60K"}
    for name in temporaries(target):
        (target.parent / name).unlink()
    told(save_command(place, model, target, "64K", 1))
    save_s = figures(save_command(place, model, target, "64K", 1))["kv_save_s"]
    chance = random.Random(1)
    found = {"old": 0, "new": 0}
    before = 65536
    interrupted = 0
    while interrupted < KILLS:
        after = 61440 if before == 65536 else 65536
        process = subprocess.Popen([str(word) for word in save_command(
            place, model, target, depths[after], interrupted)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        had = set(temporaries(target))
        while process.poll() is None and set(temporaries(target)) <= had:
            time.sleep(0.0002)
        time.sleep(chance.uniform(0.0, 1.2 * save_s))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            before = after
            continue
        interrupted += 1
        # Exit status 0: header, index, digests and every page have their checksums.
        loaded = figures([place.memside, "run", "--model", model, *PAGES, "--kv-load", target,
                          "--kv-verify", "full", "--max-tokens", "1"])
        tokens = loaded["prompt_tokens"]
        if tokens not in (before, after):
            raise RuntimeError(f"a file of {tokens} tokens after kill {interrupted}")
        found["new" if tokens == after else "old"] += 1
        before = tokens
    left = len(temporaries(target))
    told(save_command(place, model, target, "64K", 1))
    return {"kills": interrupted, "old": found["old"], "new": found["new"], "save_s": save_s,
            "file_bytes": target.stat().st_size, "left_before_the_last_save": left,
            "left_after_it": len(temporaries(target))}


def flips(place):
    model, target = small_model(place), place.work / "flips.kv"
    told(save_command(place, model, target, "2K", 1))
    program = Path(place.memside).parent / "saved_flips"
    return json.loads(told([program, model, target, str(FLIPS), "1"]))


def forget(path):
    """Drops the file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def median(values):
    return sorted(values)[len(values) // 2]


def resume(place):
    model, target = place.work / "llama-3.2-1b-q8_0.gguf", place.work / "128k.kv"
    if not model.exists():
        place.log("saved: making random weights of Llama-3.2-1B")
        told([place.memside, "make-model", "--shape", "llama-3.2-1b", "--type", "q8_0", "--seed", "1",
              "-o", model])
    place.log("saved: saving 128K tokens")
    saved = figures([place.memside, "bench", "decode", "--model", model, "--depth", "128K", "--policy",
                     "pnm-kv", "--page-size", "64", "--steps", "1", "--kv-save", target])
    result = {"tokens": saved["kv_saved_tokens"], "file_bytes": saved["kv_saved_bytes"],
              "save_s": saved["kv_save_s"], "resumes": []}
    for policy in ("pnm-kv", "dense"):
        for cold in (False, True):
            times = []
            for _ in range(RESUMES):
                if cold:
                    forget(target)
                begin = time.monotonic()
                run = figures([place.memside, "run", "--model", model, "--policy", policy, "--kv-load",
                               target, "--max-tokens", "1"])
                times.append({"load_s": run["kv_load_s"], "step_s": run["prefill_s"],
                              "process_s": time.monotonic() - begin})
            result["resumes"].append({
                "policy": policy, "cold": cold,
                **{key: median([at[key] for at in times]) for key in times[0]}})
    target.unlink()
    return result


def fuzz(place):
    found = re.search(r"fuzz: saved_kv: no finding in (\d+) inputs, (\d+) s",
                      told([place.tree / "scripts/fuzz", str(FUZZ_SECONDS), "saved_kv"]))
    return {"inputs": int(found[1]), "seconds": int(found[2])}


def run(place):
    result = {}
    for name, part in (("kills", kills), ("flips", flips), ("resume", resume), ("fuzz", fuzz)):
        kept = place.work / f"{name}.json"
        if not kept.exists():
            place.log(f"saved: {name}")
            figures_of_part = part(place)
            kept.write_text(json.dumps(figures_of_part), encoding="utf-8")
        result[name] = json.loads(kept.read_text(encoding="utf-8"))
    return result


def page(result):
    k, f, r, z = (result[name] for name in ("kills", "flips", "resume", "fuzz"))
    lines = [
        "All figures are measured. `docs/saved-kv.md` describes the file.", "",
        f"**Kills.** {k['kills']} saves of {k['file_bytes'] / 2**20:.0f} MiB over an older file were "
        f"killed (SIGKILL) at a random moment of the {1000 * k['save_s']:.0f} ms that a save takes. Every "
        f"time the file was whole, all checksums verified: {k['old']} times the old one, {k['new']} times "
        f"the new one. Temporaries of killed saves: {k['left_before_the_last_save']} before the last save to the "
        f"name, {k['left_after_it']} after it.", "",
        f"**Flipped bits.** Of {f['trials']} random bits of a file of {f['bytes'] / 2**20:.1f} MiB, each "
        f"flipped alone: {f['refused_at_load']} were refused at load, {f['refused_at_first_use']} at the "
        f"first use of their page, {f['page_not_read']} lay in pages that no step touched and "
        f"{f['padding']} in padding; there the logits of all steps were those of the good file, bit for "
        "bit. A third of the flips were aimed at what lies before the pages.", "",
        f"**Resuming** {r['tokens']:,} tokens of a model of Llama-3.2-1B's shape (random q8_0 weights, "
        f"random keys and values), a file of {r['file_bytes'] / 2**30:.2f} GiB, medians of {RESUMES} "
        "runs. Loading includes the fingerprint of the model's file; the first step reads the weights "
        "and what the policy reads. Cold: the saved file, not the model, was dropped from the page "
        "cache.", "",
        "| policy | page cache | loading | first step | whole process |", "|---|---|---|---|---|"]
    for row in r["resumes"]:
        lines.append(f"| {row['policy']} | {'cold' if row['cold'] else 'warm'} | {row['load_s']:.2f} s | "
                     f"{row['step_s']:.2f} s | {row['process_s']:.2f} s |")
    lines += ["", f"Saving it took {r['save_s']:.1f} s, {r['file_bytes'] / r['save_s'] / 1e9:.2f} GB/s, "
              "until it was on the disk.", "",
              f"**Fuzzing.** The reader took {z['inputs']:,} inputs in {z['seconds']} s without a finding."]
    return "\n".join(lines) + "\n"
