FROM python:3.12-slim

# The ledger needs no right of the system's: it listens on a high port and its data is in PostgreSQL.
RUN useradd --create-home --uid 10001 ledger && install -d -o ledger -m 0700 /var/lib/ledger /var/lib/ledger/seal /var/lib/ledger/secrets
WORKDIR /app
COPY pyproject.toml LICENSE ./
COPY ledger ledger
COPY projections projections
COPY api api
RUN pip install --no-cache-dir .
USER ledger
EXPOSE 8000
CMD ["ledger", "serve"]
