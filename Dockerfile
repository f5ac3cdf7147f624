# The commands of the packages in a container. From the root of the checkout:
#
#   docker build -t muspy .
#   docker run --rm -v "$PWD:/music" muspy arranger separate song.mid -o parts.mid
#   docker build -t muspy-all --build-arg PACKAGES="muspy-core[render] arranger mmt deepperformer clipsep clipsonic" .
#
# The second image holds PyTorch with its CUDA libraries (about 6 GB); run it with --gpus all to use them.

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY packages packages
# Folders below packages/, with extras. muspy-core comes first: the others need it, and the index may not have it yet.
ARG PACKAGES="muspy-core[render] arranger"
ENV MUSPY_CORE_EXTENSION=require
RUN python -m venv /opt/muspy \
    && set -- && for name in ${PACKAGES}; do set -- "$@" "./packages/${name}"; done \
    && /opt/muspy/bin/pip install --no-cache-dir "$@"

FROM python:${PYTHON}-slim
COPY --from=build /opt/muspy /opt/muspy
ENV PATH=/opt/muspy/bin:$PATH
RUN useradd --create-home musician
USER musician
WORKDIR /music
CMD ["muspy-core", "--help"]
