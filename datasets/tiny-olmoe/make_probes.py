"""Writes probes.txt (one prompt a line) and probe_groups.csv (its domain): sentences in the manner of the four
domains tiny-olmoe was trained on, put together at random from our own words. Standard library only; the same seed gives
the same bytes:

    python3 make_probes.py
"""
import csv
import random

EACH = 40
random.seed(7)
pick = random.choice


def number(low, high):
    return random.randint(low, high)


def prose():
    who = ["DUKE", "MARINA", "OLD LORD", "FIRST GUARD", "LADY ANNE", "CLERK", "PRINCE"]
    call = ["My lord", "Good sir", "Sweet lady", "Come, friend", "O heavens", "Alas", "Nay, cousin"]
    say = ["the night is longer than my patience and I would not wait for day", "I never loved the crown that sits upon his head",
           "thy brother's sword hath made a widow of the town", "what news of him that went to war and came not home",
           "speak softly, for the walls have ears and the king hath spies", "give me thy hand and swear thou wilt be true",
           "the sun that rose in gold goes down in blood and shame", "if I be false, let all the stars fall down on me"]
    tail = ["I pray thee, leave me.", "Let us away!", "And so farewell.", "What sayest thou?", "No more of that.", "God save the king!"]
    return " ".join(f"{pick(who)}: {pick(call)}, {pick(say)}. {pick(tail)}" for _ in range(3))


def code():
    noun = ["value", "node", "graph", "matrix", "number", "array", "index", "word", "weight", "item"]
    verb = ["find", "count", "merge", "search", "reverse", "compute", "update", "check"]
    a, b = random.sample(noun, 2)
    name = f"{pick(verb)}_{a}_{b}"
    body = pick([
        f"    for i in range(len({a})):  if {a}[i] == {b}:  return i  return -1",
        f"    result = []  for {b} in {a}:  result.append({b} * {number(2, 9)})  return result",
        f"    if not {a}:  raise ValueError(\"{a} must not be empty\")  return {a}[0] + {name}({a}[1:], {b})",
        f"    while {b} > 0:  {a}, {b} = {b}, {a} % {b}  return {a}"])
    return (f"def {name}({a}: list[int], {b}: int) -> int:  \"\"\" >>> {name}([{number(1, 9)}, {number(1, 9)}], {number(1, 9)}) "
            f"{number(0, 30)} \"\"\"  {body}  if __name__ == \"__main__\":  import doctest  doctest.testmod()")


def math():
    name = ["Nora", "Tom", "Lucia", "Ben", "Mira", "Jack", "Ella", "Sam"]
    thing = ["apples", "stickers", "books", "cookies", "marbles", "pencils"]
    who, what, a, b, c = pick(name), pick(thing), number(3, 30), number(2, 20), number(2, 6)
    price = number(2, 9)
    return pick([
        f"Question: {who} has {a} {what} and buys {b} more. Then {who} sells all of them for ${c} each. How much money does {who} "
        f"make? Answer: {who} has {a}+{b} = <<{a}+{b}={a + b}>>{a + b} {what}. They sell for {a + b}*{c} = "
        f"$<<{a + b}*{c}={(a + b) * c}>>{(a + b) * c}. #### {(a + b) * c}",
        f"Question: A box holds {a} {what}. {who} fills {c} boxes every day for {b} days and each box costs ${price}. How many {what} "
        f"are there in all? Answer: Each day there are {a}*{c} = <<{a}*{c}={a * c}>>{a * c} {what}. In {b} days there are "
        f"{a * c}*{b} = <<{a * c}*{b}={a * c * b}>>{a * c * b} {what}. #### {a * c * b}"])


def facts():
    land = ["Norland", "Vestria", "the Republic of Tamar", "Islay Islands", "Corvania", "Sulane"]
    sea = ["the North Sea", "the Pacific Ocean", "the Mediterranean Sea", "the Caribbean Sea"]
    goods = ["crude oil", "coffee", "machinery", "textiles", "fish", "natural gas", "copper", "rice"]
    name, x, y, z = pick(land), pick(goods), pick(goods), pick(goods)
    return pick([
        f"Economy of {name}: exports ${number(1, 90)}.{number(0, 9)} billion ({number(2010, 2023)} est.), commodities: {x}, {y}, {z}; "
        f"inflation rate (consumer prices): {number(0, 9)}.{number(0, 9)}% ({number(2010, 2023)} est.); unemployment rate: {number(2, 25)}.{number(0, 9)}%; "
        f"population below poverty line: {number(5, 60)}%; labor force: {number(1, 40)}.{number(0, 9)} million",
        f"{name} gained independence in {number(1810, 1991)} and borders {pick(sea)}. Area: total: {number(1, 900)},{number(100, 999)} sq km, "
        f"land: {number(1, 900)},{number(100, 999)} sq km. Climate: tropical; hot and humid, moderated by trade winds. The president is elected by "
        f"popular vote for a five-year term; the government has relied on {x} and foreign aid since {number(1992, 2019)}."])


domains = {"prose": prose, "code": code, "math": math, "facts": facts}
with open("probes.txt", "w") as prompts, open("probe_groups.csv", "w", newline="") as groups:
    table = csv.writer(groups, lineterminator="\n")
    table.writerow(["prompt", "domain"])
    row = 0
    for _ in range(EACH):
        for domain, make in domains.items():
            # Training rows began with id 0, so the prompts do.
            prompts.write("<|endoftext|>" + make() + "\n")
            table.writerow([row, domain])
            row += 1
