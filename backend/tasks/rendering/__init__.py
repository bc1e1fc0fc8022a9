"""What a model will see of a data set: rows as tokens, and how long they are.

The API process holds no tokenizer; a worker process that is started on demand does.
"""
