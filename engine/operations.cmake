# The one list of operations. A line `operation(FAMILY NAME)` stands for the slice FAMILY/NAME in every layer.
operation(te embed)
operation(te digamma)
operation(te knn)
operation(te range_count)
operation(te ksg)
operation(te network)
operation(dense softmax)
operation(sampling chain)
