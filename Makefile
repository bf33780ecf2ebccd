# `make demo` and `make check` are all a newcomer needs.
.PHONY: build
build:
	cmake --preset release
	cmake --build --preset release
