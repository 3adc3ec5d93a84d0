"""The console measured: pages asked for by a browser that only loads them, over a large log."""
