#!/bin/sh
# From a corpus of talking clips and synthesizers to labial/speech/speech_v3.onnx and
# labial/metrics/sync_v2.onnx.
#   training/recipes/speech.sh CORPUS model.bin.part2 PACKAGES
# CORPUS: see corpus.py. model.bin.part2: Whisper base, see whisper.py. PACKAGES: a folder with the
# packages that speech_sources.py lists. LABIAL_KOKORO: see speech_synthesis.py.
# About two hours on two idle cores with bf16, of which the student takes one; every step may be
# stopped and run again. TOY=1 runs every step in minutes, to see that it works.
set -eu
cd "$(dirname "$0")/../.."
run() { name=$1; shift; python -m "training.$name" "$@"; }
toy() { if [ -n "${TOY:-}" ]; then echo "$1"; else echo "$2"; fi; }
run corpus "$1" 0 2 & run corpus "$1" 1 2; wait
run basis
run mouths
run noise "$3"
run speech_synthesis kokoro "$(toy 1 45)" &
run speech_synthesis espeak
run speech_synthesis recorded
run speech_recordings "$3"
wait
run lessons "$2" 0 2 & run lessons "$2" 1 2; wait
# A first teacher finds each clip's own offset between sound and picture; five learn without it,
# and the mean of what they say is taught.
run teacher train --name first --steps "$(toy 20 400)"
run teacher offsets first
steps=$(toy 20 600)
run teacher train --name conv --no-noise --steps "$steps"
for design in gru attentive; do
    for seed in 0 1; do
        run teacher train --name "$design$seed" --design "$design" --seed "$seed" --steps "$steps"
    done
done
teachers="conv gru0 gru1 attentive0 attentive1"
# shellcheck disable=SC2086
run teacher offsets $teachers
# shellcheck disable=SC2086
run teacher opine $teachers
run student train --name speech --minutes "$(toy 2 60)"
run student export --name speech
run sync train speech
run sync export
run evaluate motion
