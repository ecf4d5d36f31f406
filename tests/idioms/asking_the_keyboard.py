def run():
    try:
        answer = input("how many layers? ")
    except EOFError:
        answer = "nobody"
    return answer
