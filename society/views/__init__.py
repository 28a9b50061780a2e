"""What a log holds, for people: transcripts, tables, catalogues. Nothing here asks a model or changes a log.

terminal     agents' words made harmless for a terminal
tables       columns of text, markdown or JSON
charts       drawings as SVG, with the numbers behind them
web          the viewer: a log in the browser, and a run as one file
transcript   an episode as a story: said, meant, did, got
catalogue    the kinds there are, with their fields, units and sources
"""
