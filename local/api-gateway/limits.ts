/** Limits of HTTP APIs: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */

export const MAX_PAYLOAD_BYTES = 10_485_760;

/** 30 seconds, which is the default of an integration too. */
export const MAX_INTEGRATION_MS = 30_000;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integration.html */
export const MIN_INTEGRATION_MS = 50;

/**
 * API Gateway cuts a body here before it looks for a field in it:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
 */
export const MAX_SELECTED_BODY_BYTES = 102_400;

export const MAX_KEY_SET_BYTES = 150_000;
