"""The HTTP service and the workbench: FastAPI lives here and nowhere else."""
