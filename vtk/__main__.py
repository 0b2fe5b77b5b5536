"""Run the command line: ``python -m vtk``."""

from vtk.cli import main

if __name__ == "__main__":
    main()
