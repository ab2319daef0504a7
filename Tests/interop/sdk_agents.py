#!/usr/bin/env python3
"""K scripted agents on real SDK clients, at once, with their own log of what they did."""

import argparse
import json
import logging
import sys
import time

import anyio

from agent_script import Script
from sdk_client import connect


class Agents:
    """Runs the agents and logs `open`, `call`, `close` and `failed` lines."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.file = open(arguments.log, "w", encoding="utf-8", buffering=1)
        self.calls = self.broken = 0

    def write(self, **line):
        self.file.write(json.dumps(line, ensure_ascii=False) + "\n")

    async def call(self, connection, script, name, turn, tool, arguments):
        began = time.time_ns()
        try:
            failed, text = await connection.call(tool, arguments, progress=tool == "slow")
            kind = "tool_error" if failed else "ok"
        except Exception as error:
            kind, text = f"error: {type(error).__name__}: {error}"[:200], ""
            self.broken += 1
        self.calls += 1
        self.write(
            event="call", agent=name, turn=turn, tool=tool, arguments=arguments,
            send_ns=began, recv_ns=time.time_ns(), kind=kind,
        )  # fmt: skip
        if kind == "ok":
            script.heard(tool, text)

    async def agent(self, number):
        a = self.arguments
        name = f"agent-{number}"
        token = f"token-of-{name}-0123456789" if a.tokens else None
        think = (a.think_min, a.think_max)
        script = Script(a.seed, number, a.turns, think, a.width, a.ask, a.few_tools, a.big)
        try:
            await anyio.sleep(number * a.stagger / 1000)
            async with connect(a.url, name, a.client, token) as connection:
                self.write(event="open", agent=name, t_ns=time.time_ns())
                await connection.list_tools()
                for turn in range(a.turns):
                    await anyio.sleep(script.pause())
                    async with anyio.create_task_group() as group:
                        for tool, arguments in script.turn(turn):
                            group.start_soon(
                                self.call, connection, script, name, turn, tool, arguments
                            )
                await anyio.sleep(script.random.uniform(a.idle_min, a.idle_max) / 1000)
            self.write(event="close", agent=name, t_ns=time.time_ns())
        except Exception as error:
            self.broken += 1
            self.write(event="failed", agent=name, error=f"{type(error).__name__}: {error}"[:300])

    async def run(self):
        async with anyio.create_task_group() as group:
            for number in range(self.arguments.agents):
                group.start_soon(self.agent, number)
        print(
            json.dumps(
                {"agents": self.arguments.agents, "calls": self.calls, "broken": self.broken}
            )
        )
        return 1 if self.broken else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument(
        "--client", choices=["legacy", "auto"], default="legacy", help="mcp 2.x only"
    )
    parser.add_argument("--think-min", type=float, default=20, metavar="MS")
    parser.add_argument("--think-max", type=float, default=300, metavar="MS")
    parser.add_argument(
        "--idle-min", type=float, default=0, metavar="MS", help="between the last turn and the end"
    )
    parser.add_argument("--idle-max", type=float, default=0, metavar="MS")
    parser.add_argument(
        "--stagger", type=float, default=40, metavar="MS", help="between agent starts"
    )
    parser.add_argument("--width", type=int, default=4, help="most calls of one turn")
    parser.add_argument("--ask", action="store_true", help="call `confirm`, which asks the user")
    parser.add_argument("--few-tools", action="store_true", help="for a server with --few-tools")
    parser.add_argument("--big", action="store_true", help="also ask for 60 kB reports")
    parser.add_argument("--tokens", action="store_true", help="each agent has its own bearer token")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--log", required=True)
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    sys.exit(anyio.run(Agents(parser.parse_args()).run))


if __name__ == "__main__":
    main()
