#!/bin/bash -eu
# Builds the fuzz targets by the conventions of OSS-Fuzz: $CC $CXX $CFLAGS $CXXFLAGS $LIB_FUZZING_ENGINE name the
# compilers, $SRC holds this repository as polypath, $OUT takes NAME_fuzz, its dictionary and its seed corpus.
# Everything of ours is compiled here, with whatever standard library $CXXFLAGS choose; besides it only zlib (C) is
# linked, and fmt is used as headers.
source=${SRC:+$SRC/polypath}
[ -n "$source" ] && [ -d "$source/core" ] || source=$(cd "$(dirname "$0")/.." && pwd)
: "${CXX:=clang++-19}" "${CXXFLAGS:=-O1 -g1 -fsanitize=address,undefined,fuzzer-no-link -stdlib=libc++}"
: "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}" "${OUT:=$source/build/oss-fuzz/out}" "${WORK:=$source/build/oss-fuzz/work}"

rooms=(spec engine program trace port device host model target check fuzz)
mkdir -p "$OUT" "$WORK/rooms"
flags=(-std=c++20 -DPOLYPATH_FAULTS=1 -DFMT_HEADER_ONLY=1 -DPOLYPATH_LIBFUZZER=1)
for room in "${rooms[@]}"; do  # each room's headers are reached through a folder that holds nothing but that room
  mkdir -p "$WORK/rooms/$room"
  ln -sfn "$source/core/$room" "$WORK/rooms/$room/$room"
  flags+=("-I$WORK/rooms/$room")
done

export CXX CXXFLAGS WORK source
compile() {
  object=$WORK/${1//\//_}.o
  shift
  # shellcheck disable=SC2086
  $CXX $CXXFLAGS "$@" -o "$object"
}
export -f compile
for room in "${rooms[@]}"; do (cd "$source" && find "core/$room" -name '*.cpp'); done |
  xargs -P "$(nproc)" -I{} bash -c 'file=$1; shift; compile "$file" "$@" -c "$source/$file"' _ {} "${flags[@]}"

compile entry "${flags[@]}" -c "$source/fuzz/entry.cpp"
for target in $(grep -l '^const polypath::fuzz::Target& fuzz_target()' "$source"/fuzz/*.cpp); do
  name=$(basename "$target" .cpp)
  compile "fuzz_$name" "${flags[@]}" -c "$target"
  # shellcheck disable=SC2086
  $CXX $CXXFLAGS "$WORK"/entry.o "$WORK"/fuzz_"$name".o "$WORK"/core_*.o $LIB_FUZZING_ENGINE -lz -o "$OUT/${name}_fuzz"
  cp "$source/fuzz/$name.dict" "$OUT/${name}_fuzz.dict"
  (cd "$source/fuzz/corpus/$name" && python3 -m zipfile -c "$OUT/${name}_fuzz_seed_corpus.zip" .)
done
ls -l "$OUT"
