"""The stress proof of kept answers, `make stress`: many write, readers hold each answer against who committed what."""
