"""Augmentation of images inside the inner loop: one random transformation, shared by all images of a step.

Differentiable siamese augmentation (Zhao & Bilen 2021): gradients flow through it to the images.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates

SCALE, ANGLE, SHIFT = 0.2, 15.0, 0.125
"""Largest relative change of size, degrees of rotation, and translation as a share of the side: as published."""
CUTOUT = 0.5
"""Side of the square that is cut out, as a share of the image's."""


def dsa(key: jax.Array, images: jax.Array) -> jax.Array:
    """One of five transformations of images ``[N, H, W, C]``: brightness, contrast, crop, cutout, scale and rotate."""
    if images.ndim != 4:
        return images
    choice, key = jax.random.split(key)
    transforms = (_brightness, _contrast, _crop, _cutout, _scale_rotate)
    return jax.lax.switch(jax.random.randint(choice, (), 0, len(transforms)), transforms, key, images)


def _brightness(key: jax.Array, images: jax.Array) -> jax.Array:
    return images + jax.random.uniform(key, minval=-0.5, maxval=0.5)


def _contrast(key: jax.Array, images: jax.Array) -> jax.Array:
    mean = images.mean((1, 2, 3), keepdims=True)
    return mean + (images - mean) * jax.random.uniform(key, minval=0.5, maxval=1.5)


def _crop(key: jax.Array, images: jax.Array) -> jax.Array:
    sides = images.shape[1:3]
    pad = [max(1, round(SHIFT * side)) for side in sides]
    padded = jnp.pad(images, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
    corner = jax.random.randint(key, (2,), 0, 2 * jnp.asarray(pad) + 1)
    return jax.lax.dynamic_slice(padded, (0, corner[0], corner[1], 0), images.shape)


def _cutout(key: jax.Array, images: jax.Array) -> jax.Array:
    sides = jnp.asarray(images.shape[1:3])
    middle = jax.random.randint(key, (2,), 0, sides)
    rows, columns = (jnp.abs(jnp.arange(n) - middle[i]) < CUTOUT * n / 2 for i, n in enumerate(images.shape[1:3]))
    return jnp.where((rows[:, None] & columns[None])[None, :, :, None], 0, images)


def _scale_rotate(key: jax.Array, images: jax.Array) -> jax.Array:
    scale_key, angle_key = jax.random.split(key)
    scale = 1 + jax.random.uniform(scale_key, (2,), minval=-SCALE, maxval=SCALE)
    angle = jnp.deg2rad(jax.random.uniform(angle_key, minval=-ANGLE, maxval=ANGLE))
    height, width = images.shape[1:3]
    y, x = jnp.meshgrid(jnp.arange(height) - (height - 1) / 2, jnp.arange(width) - (width - 1) / 2, indexing="ij")
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    where = [(cos * y - sin * x) / scale[0] + (height - 1) / 2, (sin * y + cos * x) / scale[1] + (width - 1) / 2]
    channels = jnp.moveaxis(images, -1, 1).reshape(-1, height, width)
    moved = jax.vmap(lambda image: map_coordinates(image, where, order=1))(channels)
    return jnp.moveaxis(moved.reshape(len(images), -1, height, width), 1, -1)


AUGMENTATIONS: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {"none": lambda _, images: images, "dsa": dsa}
