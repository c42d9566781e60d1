#pragma once
#include <dnnl.h>

// Where oneDNN brings OpenMP with it. Weak: its header belongs to a compiler, and a build with another runtime has none.
extern void omp_set_num_threads(int count) __attribute__((weak));

// The number of threads that oneDNN may use on the calling thread.
static inline void cdnn_set_thread_count(int count) {
  if (omp_set_num_threads) omp_set_num_threads(count);
}

// The module Tensors is written for oneDNN 3. What differs in its C interface from 2.6 to 3 is here, and nowhere else:
// for 2.6 the functions that came with 3, under their names; and for both those whose parameters have changed, as cdnn_….

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t cdnn_memory_desc;

static inline dnnl_status_t cdnn_post_ops_append_sum(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
}

static inline dnnl_status_t cdnn_post_ops_append_eltwise(dnnl_post_ops_t operations, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(operations, kind, alpha, 0);
}

// Factors of the sums, one for all or one for each channel, which is an axis of the result and of the weights.
static inline dnnl_status_t cdnn_set_scales(
    dnnl_primitive_attr_t attributes, int count, const float *values, int result_axis, int weights_axis) {
  return dnnl_primitive_attr_set_scales_mask(attributes, DNNL_ARG_WEIGHTS, count == 1 ? 0 : 1 << weights_axis);
}

// The argument that the factors are given as when the primitive runs; 0 if it knows them from the beginning. Functions: Swift
// knows what a constant is, and would warn of what is never run.
static inline int cdnn_scales_argument(void) { return DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS; }

#else

#include <stdlib.h>

// A layout is a value in 2.6, and an object in 3.
typedef dnnl_memory_desc_t *cdnn_memory_desc;

static inline dnnl_status_t dnnl_memory_desc_clone(cdnn_memory_desc *result, const dnnl_memory_desc_t *from) {
  *result = (cdnn_memory_desc)malloc(sizeof **result);
  if (!*result) return dnnl_out_of_memory;
  **result = *from;
  return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_destroy(cdnn_memory_desc layout) {
  free(layout);
  return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_strides(
    cdnn_memory_desc *result, int axes, const dnnl_dims_t extents, dnnl_data_type_t type, const dnnl_dims_t strides) {
  dnnl_memory_desc_t layout;
  dnnl_status_t status = dnnl_memory_desc_init_by_strides(&layout, axes, extents, type, strides);
  return status == dnnl_success ? dnnl_memory_desc_clone(result, &layout) : status;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(
    cdnn_memory_desc *result, int axes, const dnnl_dims_t extents, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t layout;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(&layout, axes, extents, type, tag);
  return status == dnnl_success ? dnnl_memory_desc_clone(result, &layout) : status;
}

// Describing an operation and choosing its implementation are two steps in 2.6.
#define CDNN_CHOOSE(initialise)                           \
  dnnl_status_t status = initialise;                      \
  return status == dnnl_success ? dnnl_primitive_desc_create(result, &operation, attributes, engine, NULL) : status

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t use, dnnl_alg_kind_t kind,
    const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias,
    const dnnl_memory_desc_t *destination, const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t before,
    const dnnl_dims_t after, const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t operation;
  CDNN_CHOOSE(dnnl_dilated_convolution_forward_desc_init(
      &operation, use, kind, source, weights, bias, destination, strides, dilates, before, after));
}

static inline dnnl_status_t dnnl_inner_product_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t use, const dnnl_memory_desc_t *source,
    const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *destination,
    const_dnnl_primitive_attr_t attributes) {
  dnnl_inner_product_desc_t operation;
  CDNN_CHOOSE(dnnl_inner_product_forward_desc_init(&operation, use, source, weights, bias, destination));
}

static inline dnnl_status_t dnnl_matmul_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *weights,
    const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *destination, const_dnnl_primitive_attr_t attributes) {
  dnnl_matmul_desc_t operation;
  CDNN_CHOOSE(dnnl_matmul_desc_init(&operation, source, weights, bias, destination));
}

static inline dnnl_status_t dnnl_eltwise_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t use, dnnl_alg_kind_t kind,
    const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *destination, float alpha, float beta,
    const_dnnl_primitive_attr_t attributes) {
  dnnl_eltwise_desc_t operation;
  CDNN_CHOOSE(dnnl_eltwise_forward_desc_init(&operation, use, kind, source, alpha, beta));
}

static inline dnnl_status_t dnnl_softmax_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t use, dnnl_alg_kind_t kind,
    const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *destination, int axis, const_dnnl_primitive_attr_t attributes) {
  dnnl_softmax_v2_desc_t operation;
  CDNN_CHOOSE(dnnl_softmax_v2_forward_desc_init(&operation, use, kind, source, destination, axis));
}

static inline dnnl_status_t dnnl_layer_normalization_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t use, const dnnl_memory_desc_t *source,
    const dnnl_memory_desc_t *destination, const dnnl_memory_desc_t *statistics, float epsilon, unsigned flags,
    const_dnnl_primitive_attr_t attributes) {
  dnnl_layer_normalization_desc_t operation;
  CDNN_CHOOSE(dnnl_layer_normalization_forward_desc_init(&operation, use, source, statistics, epsilon, flags));
}

static inline dnnl_status_t dnnl_reduction_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t kind, const dnnl_memory_desc_t *source,
    const dnnl_memory_desc_t *destination, float p, float epsilon, const_dnnl_primitive_attr_t attributes) {
  dnnl_reduction_desc_t operation;
  CDNN_CHOOSE(dnnl_reduction_desc_init(&operation, kind, source, destination, p, epsilon));
}

#undef CDNN_CHOOSE

static inline dnnl_status_t cdnn_post_ops_append_sum(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_sum(operations, 1);
}

static inline dnnl_status_t cdnn_post_ops_append_eltwise(dnnl_post_ops_t operations, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(operations, 1, kind, alpha, 0);
}

static inline dnnl_status_t cdnn_set_scales(
    dnnl_primitive_attr_t attributes, int count, const float *values, int result_axis, int weights_axis) {
  return dnnl_primitive_attr_set_output_scales(attributes, count, count == 1 ? 0 : 1 << result_axis, values);
}

static inline int cdnn_scales_argument(void) { return 0; }

#endif
