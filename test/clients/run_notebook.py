"""Executes a notebook in the environment that this runs in.

usage: run_notebook.py NOTEBOOK DIRECTORY

The notebook has no outputs before. Prints how many figures and tables it gave, and the tables as text.
"""

import sys

import nbclient
import nbformat

notebook, directory = sys.argv[1:]
content = nbformat.read(notebook, as_version=4)
nbformat.validate(content)
cells = [cell for cell in content.cells if cell.cell_type == "code"]
assert all(not cell.outputs and cell.execution_count is None for cell in cells), "the committed notebook has outputs"
nbclient.NotebookClient(content, timeout=600, kernel_name="python3", resources={"metadata": {"path": directory}}).execute()
outputs = [output for cell in cells for output in cell.outputs]
assert not any(output.output_type == "stream" and output.name == "stderr" for output in outputs), outputs
data = [output.get("data", {}) for output in outputs]
print(sum("image/png" in d for d in data), "figures,", sum("text/html" in d for d in data), "tables")
for d in data:
    if "text/html" in d:
        print(d["text/plain"])
