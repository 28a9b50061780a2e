"""What a log holds, for people: transcripts, tables, catalogues. Nothing here asks a model or changes a log.

terminal     agents' words made harmless for a terminal
tables       columns of text, markdown or JSON
transcript   an episode as a story: said, meant, did, got
catalogue    the kinds there are, with their fields, units and sources
"""
