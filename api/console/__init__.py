"""The back-office console: pages in the browser that ask what the API answers, with the key of who signed in."""
