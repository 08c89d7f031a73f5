"""Room: server. Jobs for many users: a page and REST in front, a store of jobs, workers behind."""
