"""Two plots, so that the notebook stays short."""

import matplotlib.pyplot as plt


def show_digit(image):
    plt.imshow(image, cmap="gray_r")
    plt.axis("off")
    plt.show()


def show_curve(losses):
    plt.semilogy(losses)
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.show()
