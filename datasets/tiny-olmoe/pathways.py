"""Grokking pathways on tiny-olmoe from end to end: routing, pathways by domain, memorisation, correlation with held-out
loss, and a report that says how much of it can be believed. Standard library only:

    python3 datasets/tiny-olmoe/pathways.py [--varve build/varve] [--out build/demo/pathways]
            [--tokens samples.npz:ids --groups samples.npz:domain]

Without --tokens the prompts are those of probes.txt beside this file.
"""
import argparse
import json
import math
import pathlib
import subprocess

here = pathlib.Path(__file__).resolve().parent
ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
ask.add_argument("--varve", default=str(here.parent.parent / "build/varve"))
ask.add_argument("--out", default=str(here.parent.parent / "build/demo/pathways"))
ask.add_argument("--tokens", help="token ids in place of probes.txt, as varve run takes them")
ask.add_argument("--groups", help="the domain of each prompt, as --with groups= takes it")
ask.add_argument("--pairs", default="2000", help="pairs of samples for each group")
given = ask.parse_args()
out = pathlib.Path(given.out)
out.mkdir(parents=True, exist_ok=True)
store = out / "tiny-olmoe.varve"
prompts = ["--tokens", given.tokens] if given.tokens else ["--text-file", str(here / "probes.txt")]
groups = f"groups={given.groups}" if given.groups else f"groups={here / 'probe_groups.csv'}:domain"


def varve(*words):
    done = subprocess.run([given.varve, "--quiet", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"varve {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def run(analysis, *words, name=None):
    """Runs an analysis, keeps its result as NAME.h5, and gives it back as a dictionary."""
    result = out / f"{name or analysis}.h5"
    varve("run", analysis, store, *words, "-o", result)
    data = out / f"{name or analysis}.json"
    varve("export", result, "--to", "json", "-o", data)
    return json.loads(data.read_text())


def picture(result, view, *options, name):
    words = [word for option in options for word in ("--set", option)]
    varve("plot", out / f"{result}.h5", "--view", view, *words, "-o", out / f"{name}.png", "--scale", "2")
    pictures.append(name)


def at(data, name, **places):
    """One number, chosen by coordinate, as in at(data, "distance", step=4000, pairs="prose")."""
    array = data["arrays"][name]
    flat = 0
    for axis, extent in zip(array["axes"], array["shape"]):
        ticks = data["coords"].get(axis, list(range(extent)))
        flat = flat * extent + ticks.index(places[axis])
    return array["values"][flat]


def said(value, digits=2):
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def chance(p):
    return "–" if p is None else f"{p:.2g}"


pictures = []
if not store.exists():
    varve("import", here, "-o", store)
routing = run("routing", *prompts, "--with", groups)
pathways = run("pathways", *prompts, "--with", groups, "--set", f"pairs={given.pairs}")
special = run("expert-specialisation", *prompts, "--with", groups)
saturation = run("router-saturation", *prompts)
together = run("expert-coactivation", *prompts)
life = run("expert-life", *prompts)
speed = run("update-speed")
memorised = run("memorisation", "--with", f"losses={here / 'sample_loss.npz'}:train_loss", "--set", "delta=0.2")
scores = ["--with", f"scores={here / 'metrics.jsonl'}", "--set", "scores=heldout_loss.*",
          "--with", f"rivals={here / 'metrics.jsonl'}:loss", "--set", "first_step=256"]
tests = {kind: run("metric-correlation", "--with", f"metric={out / 'pathways.h5'}:{kind}", *scores, name=f"correlation-{kind}")
         for kind in ("distance_normalised", "consistency")}

picture("pathways", "lines", "array=distance_normalised", "series=pairs", name="distance")
picture("pathways", "lines", "array=consistency", "series=group", name="consistency")
picture("pathways", "small-multiples", "array=distance_layer", name="distance-by-layer")
picture("pathways", "pathway-flow", name="flow")
picture("pathways", "matrix", "array=pair_distance", name="pairs")
picture("expert-specialisation", "lines", "array=information", "series=layer", name="information")
picture("router-saturation", "lines", "array=saturation", "series=layer", name="saturation")
picture("expert-coactivation", "matrix", "array=lift", "order=clustered", name="coactivation")
picture("correlation-consistency", "scatter", "at=metric=2,score=1", name="consistency-loss")
picture("correlation-distance_normalised", "scatter", "at=metric=4,score=3", name="distance-loss")
picture("update-speed", "lines", "array=change", "series=kind", name="update-speed")
picture("memorisation", "lines", "array=memorised_share", "series=group", name="memorised")

steps = pathways["coords"]["step"]
sets = pathways["coords"]["pairs"]
domains = [name for name in sets if name not in ("all samples", "across groups")]
first, last = steps[0], steps[-1]
sizes = dict(zip(routing["coords"]["group"], routing["arrays"]["group_size"]["values"]))
page = ["# Pathways through the experts of tiny-olmoe", ""]
page += [f"{sum(sizes.values())} samples ({', '.join(f'{n} {name}' for name, n in sizes.items())}), {len(steps)} checkpoints from step "
         f"{first} to {last}. A path holds, in each of 4 layers, the experts whose summed mean weight exceeds 0.7. Intervals are 95 %, "
         "over whole samples.", ""]

page += ["## How far apart are two samples' paths?", "",
         "Edit distance over the longer string (0: the same path, 1: nothing in common), the same pairs at every step.", "",
         "| pairs | n | " + " | ".join(f"step {step}" for step in (steps[0], 256, 1000, last)) + " |", "|---" * 6 + "|"]
for name in sets:
    cells = [f"{said(at(pathways, 'distance_normalised', step=s, pairs=name))} "
             f"({said(at(pathways, 'distance_normalised_low', step=s, pairs=name))} to "
             f"{said(at(pathways, 'distance_normalised_high', step=s, pairs=name))})" for s in (steps[0], 256, 1000, last)]
    page.append(f"| {name} | {at(pathways, 'distance_normalised_n', step=last, pairs=name)} | " + " | ".join(cells) + " |")
page.append("")
for name in domains:
    inside = [at(pathways, f"distance_normalised{end}", step=last, pairs=name) for end in ("_low", "_high")]
    outside = [at(pathways, f"distance_normalised{end}", step=last, pairs="across groups") for end in ("_low", "_high")]
    if inside[1] < outside[0]:
        page.append(f"- {name}: at step {last} its samples' paths lie closer together than paths of different domains; the intervals do not "
                    "meet.")
    elif inside[0] > outside[1]:
        page.append(f"- {name}: at step {last} its samples' paths lie further apart than paths of different domains; the intervals do not meet.")
    else:
        page.append(f"- {name}: at step {last} the intervals within the domain and across domains overlap; nothing can be said.")
r = [at(pathways, "entropy_distance_r", step=last, pairs="all samples")]
page += ["", f"Control: routing entropy alone goes with distance at r = {said(r[0])}, {100 * r[0] ** 2:.0f} % of its variance.", ""]

page += ["## Does the chosen expert tell the domain?", "",
         "| layer | information at step " + f"{last}, nats | after shuffling labels, 97.5 % | p |", "|---|---|---|---|"]
for layer in special["coords"]["layer"]:
    page.append(f"| {layer} | {said(at(special, 'information', step=last, layer=layer), 3)} | "
                f"{said(at(special, 'information_floor_top', step=last, layer=layer), 3)} | "
                f"{said(at(special, 'information_p', step=last, layer=layer), 3)} |")
page += ["", f"All the information there is to have: ln {len(domains)} = {math.log(len(domains)):.3f} nats.", ""]

page += ["## Do paths go with the loss on held-out text?", "",
         "Over checkpoints from step 256 on, each domain's metric against the same domain's held-out loss. The rival is the training "
         "loss.", "", "| metric | score | n | Pearson r (95 %) | p | Spearman | p |", "|---" * 7 + "|"]
weak, notes = False, []
for kind, data in tests.items():
    for metric in data["coords"]["metric"]:
        for score in data["coords"]["score"]:
            domain = score.split(".")[-1]
            if not (metric.endswith(f"· {domain}") or metric.startswith("loss")) or (metric.startswith("loss") and kind != "consistency"):
                continue
            n = at(data, "pearson_n", metric=metric, score=score)
            weak = weak or n < 8
            page.append(f"| {metric} | {domain} | {n} | {said(at(data, 'pearson', metric=metric, score=score))} "
                        f"({said(at(data, 'pearson_low', metric=metric, score=score))} to "
                        f"{said(at(data, 'pearson_high', metric=metric, score=score))}) | "
                        f"{chance(at(data, 'pearson_p', metric=metric, score=score))} | "
                        f"{said(at(data, 'spearman', metric=metric, score=score))} | "
                        f"{chance(at(data, 'spearman_p', metric=metric, score=score))} |")
page.append("")
if weak:
    page.append("**Too short to conclude**: some of these rest on fewer than 8 checkpoints.")
page += ["**What this does not show.** One run of one small model: its checkpoints follow each other, so whatever moves with training "
         "correlates with whatever else does, the training loss too. A p over shuffled checkpoints takes them for independent, which they are "
         "not. To conclude, one needs several runs, or a score that moves apart from the loss.", ""]

page += ["## Which weights settle first?", "",
         "Mean change of a matrix's norm from checkpoint to checkpoint, over its mean norm; speed is early minus late, stability one over "
         "the standard deviation.", "", "| kind | matrices | early | late | speed | stability |", "|---" * 6 + "|"]
for kind in speed["coords"]["kind"]:
    cells = [said(at(speed, name, kind=kind), 3) for name in ("early", "late", "convergence_speed")]
    page.append(f"| {kind} | {at(speed, 'matrices', kind=kind)} | " + " | ".join(cells) + f" | {said(at(speed, 'stability', kind=kind), 1)} |")
page += ["", "The checkpoints lie unevenly, so early and late differ in steps too: this compares kinds, not speeds.", ""]

page += ["## Memorisation", ""] + [note + "\n" for note in memorised["notes"]]
page += ["## Experts", "",
         f"Experts in use at step {last}, by layer: " +
         ", ".join(str(at(life, "living", step=last, layer=layer)) for layer in life["coords"]["layer"]) + " of 16. "
         f"Router saturation against the last step at step {steps[len(steps) // 2]}: " +
         ", ".join(said(at(saturation, "saturation", step=steps[len(steps) // 2], layer=layer)) for layer in saturation["coords"]["layer"]) +
         f" by layer (chance {said(saturation['arrays']['chance']['values'][0])}). Effective partners of an expert at step {last}, mean by layer: " +
         ", ".join(said(sum(filter(None, (at(together, "effective_partners", step=last, layer=layer, expert=e) for e in range(16)))) / 16)
                   for layer in together["coords"]["layer"]) + " of 15.", ""]
page += ["## Notes of the results", ""]
for name, data in (("routing", routing), ("pathways", pathways)):
    page += [f"- {name}: {note}" for note in data["notes"]]
failed = [f"{check['name']}" for data in (routing, pathways, special, saturation, together, life, speed, memorised)
          for check in data["checks"] if not check["passed"]]
page += ["", f"Checks that failed: {', '.join(failed) if failed else 'none'}.", "", "## Pictures", ""]
page += [f"![{name}]({name}.png)" for name in pictures]
(out / "report.md").write_text("\n".join(page) + "\n")
print(f"{out / 'report.md'}: {len(pictures)} pictures")
