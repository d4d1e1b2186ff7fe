"""What distillation is compared with."""
