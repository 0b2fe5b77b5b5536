"""Text in video: pieces of it followed from frame to frame, told apart, and read once from many views."""
