// The carrier of the shared precompiled header (cmake/pch.h).
