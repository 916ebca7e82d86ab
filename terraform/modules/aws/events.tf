# Uploads that arrive: bucket -> queue, and what ten tries could not take -> dead letters.

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-arrivals-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "arrivals" {
  name                       = "${var.name}-arrivals"
  visibility_timeout_seconds = 600 # one large zip takes minutes
  message_retention_seconds  = 1209600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue_policy" "arrivals" {
  queue_url = aws_sqs_queue.arrivals.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheBucketSends"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.arrivals.arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = module.lake.arn }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_s3_bucket_notification" "landing" {
  bucket = module.lake.id
  queue {
    id            = "arrivals"
    queue_arn     = aws_sqs_queue.arrivals.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "landing/"
  }
  depends_on = [aws_sqs_queue_policy.arrivals]
}

locals {
  alarms = {
    dead = { queue = aws_sqs_queue.dead.name, metric = "ApproximateNumberOfMessagesVisible", over = 0, text = "Arrivals that ten tries could not take." }
    old  = { queue = aws_sqs_queue.arrivals.name, metric = "ApproximateAgeOfOldestMessage", over = 900, text = "An arrival has waited for 15 minutes." }
  }
}

resource "aws_cloudwatch_metric_alarm" "arrivals" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-arrivals-${each.key}"
  alarm_description   = each.value.text
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.over
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = var.alarm_topics
}
