"""The page of ``vtk report``: records gathered as columns, pictures beside them, and one HTML file made of both."""
