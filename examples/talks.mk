# Searchable subtitles of a folder of talks: make -f talks.mk VIDEOS=talks OUT=out -j2
# Then: grep -i kalman out/index.csv
# Each video gets OUT/NAME.jsonl (what stood on its slides and when), OUT/NAME.srt and OUT/NAME.vtt; OUT/index.csv has
# all texts with their times. A run that was stopped goes on where it was: what is finished is not made again.
# Without jq the index is made by records_to_csv.py, with the same columns.

VIDEOS ?= videos
OUT ?= out
VTK ?= vtk
PYTHON ?= python3
JQ ?= $(shell command -v jq)

here := $(dir $(lastword $(MAKEFILE_LIST)))
names := $(patsubst $(VIDEOS)/%.mp4,%,$(wildcard $(VIDEOS)/*.mp4))
texts := $(names:%=$(OUT)/%.jsonl)
# $^ would be too long for a shell where there are thousands.
records := for video in $(VIDEOS)/*.mp4; do name=$${video\#\#*/}; made="$(OUT)/$${name%.mp4}.jsonl"; \
	[ ! -f "$$made" ] || cat "$$made"; done
columns := source start end text
pick := select(.type == "text_track" and .text != "") | [.source, .start, .end, .text] | @csv

.PHONY: all
.DELETE_ON_ERROR:

all: $(OUT)/index.csv $(names:%=$(OUT)/%.srt) $(names:%=$(OUT)/%.vtt)

# -o appears only when it is complete, so make never takes half a file for a whole one.
$(OUT)/%.jsonl: $(VIDEOS)/%.mp4
	@mkdir -p $(@D)
	VTK_THREADS=1 $(VTK) spot-text $< --tracks-only -o $@ --overwrite --quiet

$(OUT)/%.srt: $(OUT)/%.jsonl
	$(VTK) export srt $< -o $@ --overwrite

$(OUT)/%.vtt: $(OUT)/%.jsonl
	$(VTK) export vtt $< -o $@ --overwrite

$(OUT)/index.csv: $(texts)
	@mkdir -p $(@D)
ifneq ($(JQ),)
	{ echo $(columns) | tr ' ' ,; $(records) | $(JQ) -r '$(pick)'; } > $@
else
	$(records) | $(PYTHON) $(here)records_to_csv.py text_track $(columns) > $@
endif
