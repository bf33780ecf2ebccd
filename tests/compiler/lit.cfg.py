"""lit runs the RUN lines of the .mlir files here: memside-opt and memside against FileCheck.
--param build=FOLDER: where the programs are; --param llvm=FOLDER: where FileCheck and not are."""

import os

import lit.formats

config.name = "memside-compiler"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(lit_config.params["build"], "lit")
config.environment["PATH"] = os.pathsep.join(
    [lit_config.params["build"], lit_config.params["llvm"], os.environ["PATH"]])
