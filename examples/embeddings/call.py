"""Embeds sentences with the unmodified client from PyPI, and prints how similar each two are.

    FUNCTION_URL=https://… OPENAI_API_KEY=… python call.py
"""

import os

from openai import OpenAI

SENTENCES = ["The cat sat on the mat.", "A dog lay on the rug.", "The stock market fell today."]

# The client reads OPENAI_API_KEY.
client = OpenAI(base_url=f"{os.environ['FUNCTION_URL']}v1")
answer = client.embeddings.create(model="all-MiniLM-L6-v2", input=SENTENCES)
vectors = [item.embedding for item in answer.data]
for at, sentence in enumerate(SENTENCES):
    others = [sum(a * b for a, b in zip(vectors[at], other)) for other in vectors[:at]]
    print("  ".join([sentence, *(f"{value:.3f}" for value in others)]))
