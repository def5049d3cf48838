print("aerugo")
