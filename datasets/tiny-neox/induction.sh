#!/bin/bash
# How induction heads form in this series: head scores, the circuit of the induction task at every checkpoint, how
# faithful it is, which heads join it, and what those heads are worth.
#   induction.sh VARVE OUT
# VARVE is the program, OUT a folder to make. What each command found stands in OUT/*.txt, all of it in report.txt.
set -euo pipefail
varve=$1
out=$2
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
mkdir -p "$out"
store=$out/tiny-neox.varve
task=(--task induction:pairs=32,period=12,seed=1)
run() { "$varve" --quiet run "$@"; }

"$varve" --quiet import "$here" -o "$store" >/dev/null

# Attention on strings said twice: which heads look back at what followed, and from when on.
run head-detectors "$store" --probes repeat-random:prompts=20,period=50,seed=1 --set weights=copying -o "$out/heads.h5" \
  >"$out/1-heads.txt"
# Integrated gradients at every checkpoint, a fiftieth of the edges; head sets beside the noise of the examples.
run circuit-trajectory "$store" "${task[@]}" --set curve=no --set size=0.02 -o "$out/trajectory.h5" >"$out/2-trajectory.txt"
# At the end: faithfulness at the ten standard sizes beside random circuits.
run circuit "$store" "${task[@]}" --steps last --set size=0.02 -o "$out/circuit.h5" >"$out/3-circuit.txt"
# The heads that formed, taken away, averaged and scaled, beside random sets of four.
run head-ablation "$store" "${task[@]}" --steps last --set heads=L2H3,L3H1,L3H2,L3H3 -o "$out/ablation.h5" \
  >"$out/4-ablation.txt"
# Where the answer is carried: clean activations put into the corrupted run.
run activation-patching "$store" "${task[@]}" --steps last -o "$out/patching.h5" >"$out/5-patching.txt"

# The last circuit for other programs.
cell=$("$varve" --quiet --json run circuit "$store" "${task[@]}" --steps last --set size=0.02 |
  grep -o '"[^"]*results/circuit/[^"]*"' | head -1 | tr -d '"')
for form in eap-json attribution-graph; do "$varve" --quiet export "$cell" --to $form -o "$out/circuit-$form.json" >/dev/null; done
"$varve" --quiet export "$cell" --to edges-csv -o "$out/edges.csv" >/dev/null

# The pictures: when heads look back, the circuit before and after, where the answer is carried.
run circuit "$store" "${task[@]}" --steps 3000,3500,3750,7000 --set size=0.02 -o "$out/circuits.h5" >"$out/3-circuits.txt"
plot() { "$varve" --quiet plot "$@" >/dev/null; }
plot "$out/heads.h5" --select step=3500 --size 560x420 -o "$out/1-heads-step3500.png"
plot "$out/heads.h5" --size 560x420 -o "$out/1-heads-step7000.png"
plot "$out/trajectory.h5" --view lines --set array=emergent_count --size 800x460 -o "$out/2-emergent.png"
plot "$out/circuits.h5" --size 900x600 -o "$out/3-circuit.png"
plot "$out/circuits.h5" --select step=3500 --set before=0 --size 900x600 -o "$out/3-circuit-3000-to-3500.png"
plot "$out/patching.h5" --set x=pos --set y=layer --size 900x460 -o "$out/5-patching.png"

{
  echo "Induction in tiny-neox"
  grep -h '^step [0-9]' "$out/1-heads.txt" "$out/2-trajectory.txt" || true
  grep -h -A3 'circuit_faithfulness\|cpr\|cmd' "$out/3-circuit.txt" || true
  cat "$out/4-ablation.txt"
} >"$out/report.txt"
echo "$out/report.txt"
