"""Executes a notebook in the environment that this runs in, and compares what it gives with its outputs.

usage: run_notebook.py NOTEBOOK DIRECTORY [--write]

DIRECTORY is where its kernel works. Texts and tables must be those in the file, figures as many; --write
writes its outputs anew. Prints how many figures and tables it gave.
"""

import difflib
import sys

import nbclient
import nbformat

notebook, directory, *write = sys.argv[1:]
content = nbformat.read(notebook, as_version=4)
nbformat.validate(content)


def texts(content):
    """What a cell says, a line each: pictures by their kind, since fonts are drawn alike but not to the bit."""
    lines = []
    for cell in content.cells:
        for output in cell.get("outputs", []):
            assert output.output_type in ("stream", "execute_result", "display_data"), output
            assert output.get("name") != "stderr", output
            data = output.get("data", {})
            lines += [f"# {kind}" for kind in sorted(data) if kind.startswith("image/")]
            lines += (output.get("text") or data.get("text/plain", "")).splitlines()
    return lines


kept = texts(content)
nbclient.NotebookClient(content, timeout=600, kernel_name="python3", resources={"metadata": {"path": directory}}, record_timing=False).execute()
found = texts(content)
if write:
    content.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    nbformat.write(content, notebook)
elif kept != found:
    sys.exit("other outputs than the file has; go test ./test -run TestNotebook -update writes them\n" + "\n".join(difflib.unified_diff(kept, found, "file", "found", lineterm="")))
data = [output.get("data", {}) for cell in content.cells for output in cell.get("outputs", [])]
print(sum("image/png" in d for d in data), "figures,", sum("text/html" in d for d in data), "tables")
