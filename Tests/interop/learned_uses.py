"""Adds `uses` to a trace: which values of a call's arguments stood in an earlier answer of its session.

A value is a word of eight letters, digits, `-` and `_` or more with a digit in it.
"""

import json
import re

WORD = re.compile(r"[A-Za-z0-9_-]{8,}")


def learn(path, output):
    """Writes the trace at `path` with `uses` to `output`, and returns that."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    answers = {}
    for line in sorted(lines, key=lambda line: line.get("done", line.get("t", 0))):
        if line["type"] == "response" and line.get("result"):
            answers.setdefault(line["session"], []).append(line)
    for line in lines:
        if line["type"] == "request" and line.get("tool"):
            earlier = [a for a in answers.get(line["session"], []) if a["done"] <= line["t"]]
            found = list(uses(line["params"]["arguments"], earlier))
            if found:
                line["uses"] = found
                line["after_by"] = "uses"
    with open(output, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    return output


def uses(arguments, answers):
    for at, text in scalars(arguments, "/arguments"):
        for word in WORD.finditer(text):
            source = first(word.group(), answers)
            if not source or not any(letter.isdigit() for letter in word.group()):
                continue
            use = {"at": at, **source}
            if word.group() != text:
                use["at_within"] = around(text, word)
            yield use


def first(word, answers):
    """Where a word stood first, without its place when it did nowhere."""
    for answer in answers:
        parts = {**answer["result"]}
        if "structuredContent" in parts:
            del parts["content"]
        for path, text in scalars(parts, ""):
            for found in WORD.finditer(text):
                if found.group() == word:
                    whole = {"from": answer["n"], "path": path}
                    return whole if text == word else {**whole, "within": around(text, found)}
    return None


def around(text, found):
    return {"before": text[: found.start()], "after": text[found.end() :][:1]}


def scalars(value, path):
    """Every text with its path, also inside JSON that a text holds."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from scalars(inner, path + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from scalars(inner, f"{path}/{index}")
    elif isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        if isinstance(inner, (dict, list)):
            yield from scalars(inner, path + "#")
        else:
            yield path, value
