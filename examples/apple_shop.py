import graphdl as gd
