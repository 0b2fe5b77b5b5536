"""Faces, live or not: what stands behind ``vtk face-antispoof``."""
