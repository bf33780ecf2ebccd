"""Every convolution of ResNet-50, tuned, beside oneDNN of the distribution and of the package index, turn
by turn in one process."""

import glob
import json
import math
import shutil
import subprocess
import sys
import zipfile

from evidence_driver import page_table as table

TITLE = "ResNet-50 beside oneDNN"
TIMED = True

BATCHES, THREADS = (1, 8), (1, 2)
TRIALS = 192
ROUNDS = 31
GOAL_MEAN, GOAL_LEAST = 1.0, 0.7


def newest_onednn(place):
    """The peer made of the newest oneDNN of the package index, and the variables that it runs with. Its
    threads are SYCL's; a CPU device needs the OpenCL runtime that comes with it."""
    folder = place.work / "onednn"
    library = folder / "libmemside-onednn-newest-peer.so"
    if not library.exists():
        wheels, root, lib = folder / "wheels", folder / "root", folder / "lib"
        wheels.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels), "onednn",
                        "onednn-devel"], check=True)
        lib.mkdir(exist_ok=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(root)
        for file in glob.glob(str(root / "*.data/data/lib/*")):
            if not (lib / file.rsplit("/", 1)[1]).exists() and ".so" in file:
                shutil.copy(file, lib)
        include = glob.glob(str(root / "onednn_devel*/data/include"))[0]
        subprocess.run(["g++", "-std=c++20", "-O2", "-shared", "-fPIC",
                        str(place.tree / "bench/onednn_peer.cpp"), f"-I{include}", f"-L{lib}",
                        "-ldnnl", f"-Wl,-rpath,{lib}", "-o", str(library)], check=True)
    return library, {"LD_LIBRARY_PATH": str(folder / "lib"),
                     "OCL_ICD_FILENAMES": str(folder / "lib/libintelocl.so")}


def tuned(place, batch, threads):
    result = place.work / f"tuned-{batch}-{threads}.json"
    if not result.exists():
        place.log(f"resnet50: searching, batch {batch}, {threads} thread(s)")
        subprocess.run([str(place.memside), "tune", "network", "--model", "resnet50", "--target",
                        "x86-vnni", "--batch", str(batch), "--threads", str(threads), "--trials",
                        str(TRIALS), "--db", str(place.work / "tuned.sqlite"), "--resume", "--json",
                        str(result)], check=True, stdout=subprocess.DEVNULL)
    return result


def run(place):
    library, variables = newest_onednn(place)
    for batch in BATCHES:
        for threads in THREADS:
            tuned(place, batch, threads)
    measured = {}
    for batch in BATCHES:
        for threads in THREADS:
            place.log(f"resnet50: beside oneDNN, batch {batch}, {threads} thread(s)")
            kept = place.work / f"beside-{batch}-{threads}.json"
            # SYCL takes all processors that it may run on.
            cores = ",".join(str(core) for core in range(threads))
            subprocess.run(["taskset", "-c", cores, str(place.tree / "build/release/bench_conv_speed"),
                            "--threads", str(threads), "--rounds", str(ROUNDS), "--tuned",
                            str(tuned(place, batch, threads)), "--peer",
                            str(place.tree / "build/release/libmemside-onednn-peer.so"), "--peer",
                            str(library), "--json", str(kept)], check=True,
                           stdout=subprocess.DEVNULL, env={**place.environment, **variables})
            measured[f"{batch} {threads}"] = json.loads(kept.read_text(encoding="utf-8"))
    return measured


def ratios(of, peer):
    return [layer["peers"][peer]["ratio"] for layer in of["layers"]]


def geometric(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def page(figures):
    names = [peer["name"] for peer in next(iter(figures.values()))["layers"][0]["peers"]]
    text = (f"`memside tune network`, {TRIALS} trials a layer by learning from distinctive candidates; "
            f"then the best of each layer beside oneDNN in one process, turn by turn, {ROUNDS} turns of "
            "at least 2 ms: u8 x s8 to u8, a scale per channel and ReLU, layouts of each one's choice, "
            "reorders untimed. Ratios are medians of the turns' ratios; above 1 ours is faster. GOPS are "
            "medians. Outputs differ by 1 at most: oneDNN scales in floating point.\n\n")
    rows = []
    for key, of in figures.items():
        batch, threads = key.split()
        for i, name in enumerate(names):
            all_of = ratios(of, i)
            rows.append([batch, threads, name, f"{geometric(all_of):.2f}", f"{min(all_of):.2f}",
                         of["layers"][all_of.index(min(all_of))]["name"], f"{of['peak_gops']:.0f}"])
    text += table(["batch", "threads", "beside", "geometric mean", "least", "layer", "peak GOPS"], rows)
    for key, of in figures.items():
        batch, threads = key.split()
        text += f"\nBatch {batch}, {threads} thread(s):\n\n" + table(
            ["layer", "N,C,H,W,K,R,S,stride,pad", "GOPS", *[f"{name} / ratio" for name in names]],
            [[layer["name"], layer["shape"], f"{layer['gops']:.0f}",
              *[f"{peer['gops']:.0f} / {peer['ratio']:.2f}" for peer in layer["peers"]]]
             for layer in of["layers"]])
    return text
