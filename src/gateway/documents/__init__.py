"""From the text of a document to one that is parsed, bounded and valid."""
