"""What is to be played: the scenario as types (`model`), and how a file becomes one (`load`)."""
