# The tests that need a real Docker Engine.
add_subdirectory(docker/engine)
