"""What a scripted agent does: turns of parallel calls, some with values of earlier answers."""

import json
import random


class Script:
    """A seeded agent: `turns` times it thinks and then fires one to `width` calls at once.

    The first turn searches, the second reads several of the found tickets in parallel; what
    follows is drawn. Arguments come out of earlier answers wherever a real agent's would.
    """

    def __init__(self, seed, agent, turns, think, width, ask, few, big):
        self.random = random.Random(f"{seed}:{agent}")
        self.agent = agent
        self.turns = turns
        self.think = think
        self.width = width
        self.ask = ask
        self.few = few
        self.big = big
        self.ids = []
        self.notes = []

    def pause(self):
        """Seconds of thinking before a turn."""
        return self.random.uniform(*self.think) / 1000

    def turn(self, number):
        """The calls of one turn: a list of (tool, arguments)."""
        if number == 0:
            return [("search", {"query": f"agent {self.agent}", "limit": 3})]
        if number == 1:
            return [("read", {"ticket": ticket}) for ticket in self.ids[: min(3, self.width)]]
        if number == 2 and self.ask:
            return [("confirm", {"action": f"close {self.ids[0]}"})]
        width = min(self.width, self.random.choice([1, 1, 2, 3, 4]))
        return [self.call(number, i) for i in range(width)]

    def call(self, turn, place):
        choices = ["search", "read", "create_note", "slow"]
        if not self.few:
            choices += (
                ["fail", "translate"] + ["read_note"] * bool(self.notes) + ["report"] * self.big
            )
        tool = self.random.choice(choices)
        ticket = self.random.choice(self.ids)
        arguments = {
            "search": {"query": f"{ticket} turn {turn}.{place}", "limit": 2},
            "read": {"ticket": ticket},
            "create_note": {"ticket": ticket, "text": f"seen by {self.agent} in {turn}.{place}"},
            "slow": {"steps": self.random.choice([2, 3, 4])},
            "fail": {"reason": f"no right to {ticket}"},
            "translate": {"text": f"{ticket} — größe ✓"},
            "read_note": {"note": self.random.choice(self.notes or [""])},
            "report": {"rows": 1000},
        }[tool]
        return tool, arguments

    def heard(self, tool, text):
        """Learns from an answer."""
        if tool == "search":
            self.ids = json.loads(text)["ids"] + self.ids[:3]
        elif tool == "create_note":
            self.notes.append(json.loads(text)["note"]["id"])
