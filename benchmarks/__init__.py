"""How fast the sandbox is, beside what it could be and beside others: ``python -m benchmarks``.

Every number that depends on the machine is shown beside a bare program that does the same on the same machine in the same run: the
ratio is what counts. Programs that are compared run in a process of their own, one after the other, and their medians are
shown. The server they call is a process too, and counts what it was asked.

    workload.py     what is played, and the calls it makes, recorded once so that every program sends the same
    server.py       a server that speaks the chat completions protocol and answers after a set time
    processes.py    one measured function in a process of its own: wall time, CPU, memory
    programs/       what is compared: bare loops, and the sandbox itself
    peers/          other packages on the same server and workload, each optional
    suite_*.py      the benchmarks; `results.py` says what a result and a target are
    page.py         the table, and docs/performance.md
"""
