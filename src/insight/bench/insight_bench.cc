int unused_marker_for_empty_file();
