"""The viewer: a web page over a log, read-only and for this machine alone; the same page as one file.

shelf          what pages are made of, read from a log and kept while it does not change
runs_table     the runs, searched, filtered, sorted and paged by the database
rounds         a round as a reader sees it: said, meant, done, got
seen           what one agent knew at one moment
marked         agents' words for a page: whatever would not be seen is written out
pages          templates
guard          who may ask: this machine, with the token
app            addresses and what stands there
live           news of a run that is going
serve          the server
one_file       a run as one HTML file
"""
