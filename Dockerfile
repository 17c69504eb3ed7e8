# The image of the gateway: `serve`, `migrate` and every other command but `demo`, which needs the embedded PostgreSQL.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build

# What changes least comes first, so that a change of the code builds only the wheel again.
COPY requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-build.lock
COPY requirements-serve.lock ./
RUN python -m venv /opt/gateway \
 && /opt/gateway/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements-serve.lock

# GraphiQL's assets are made with the Node of the build requirements, and travel inside the wheel; what .gitignore
# names does not.
COPY .gitignore LICENSE README.md pyproject.toml ./
COPY scripts scripts
COPY loaders loaders
COPY src src
RUN python scripts/build_graphiql.py \
 && hatchling build --target wheel --directory dist \
 && /opt/gateway/bin/pip install --no-cache-dir --no-index --no-deps dist/*.whl \
 && /opt/gateway/bin/pip uninstall --yes pip


FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--host", "0.0.0.0"]
