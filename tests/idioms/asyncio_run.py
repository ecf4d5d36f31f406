import asyncio


async def double(x):
    await asyncio.sleep(0.001)
    return 2 * x


async def main():
    return await asyncio.gather(*(double(i) for i in range(4)))


def run():
    return asyncio.run(main())
