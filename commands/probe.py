"""``vtk probe``: what is known of media."""

from vtk.options import Common, media_command


@media_command
def run(common: Common) -> None:
    """Say what is known of media: size, rate, codec, duration.

    Reads media; one frame of each is decoded, so that what it calls readable is. Adds media. Streams.

    Example: vtk probe videos/ | jq -r 'select(.type=="media") | [.source, .fps] | @tsv'
    """
    from vtk.driver import drive
    from vtk.probing import ProbeStage

    drive(ProbeStage, common)
