# docker build -t hades . && docker run --rm -v "$PWD/runs:/home/hades/runs" hades distill cartpole
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 hades
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir -c constraints.txt '.[gymnasium,hub,trackers]'

USER 1000
WORKDIR /home/hades
ENTRYPOINT ["hades"]
CMD ["--help"]
